raise OSError("of the import")


class Any:
    def act(self, observation: object) -> int:
        return 0
