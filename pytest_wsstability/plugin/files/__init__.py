"""What a session leaves on disk: timelines, reports, earlier runs."""
