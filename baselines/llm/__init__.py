"""Language models as critics and actors: LLaMAC, and HMAS-2 beside it (extra `llm`)."""
