"""The leaderboard: results files checked, averaged over tasks, and shown as a small web site."""
