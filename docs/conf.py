"""The site: `make docs` builds it from these pages into build/docs."""

import pytest_wsstability
from pytest_wsstability.core.site import SITE

project = "pytest-wsstability"
author = "The pytest-wsstability maintainers"
version = release = pytest_wsstability.__version__

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]

html_theme = "furo"
html_title = project
# So that the 100 columns of a failure fit.
html_theme_options = {"light_css_variables": {"code-font-size": "72%"}}
html_baseurl = SITE
# At its root, where the README on a package index finds them.
html_extra_path = ["pictures"]

myst_enable_extensions = ["fieldlist"]
# Anchors as GitHub makes them, so that a link works there and here.
myst_heading_anchors = 3
# Pages have code for other languages, with placeholders in it.
suppress_warnings = ["misc.highlighting_failure"]

autodoc_member_order = "bysource"
autodoc_typehints = "none"
napoleon_numpy_docstring = False

nitpicky = True
# Types of other projects; no network is asked where they are documented.
nitpick_ignore_regex = [("py:.*", ".*")]
