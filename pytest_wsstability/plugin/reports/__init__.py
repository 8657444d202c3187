"""What was held in a session, and what it leaves behind: results, report files, earlier runs, a summary."""
