"""The pytest face: the only room that knows pytest."""
