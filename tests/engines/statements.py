"""The statements of a file of SQL, without comments."""


def statements(path):
    with open(path, encoding="utf-8") as file:
        lines = [line.split("--")[0].rstrip() for line in file]
    parts = "\n".join(lines).split(";")
    return [part.strip() for part in parts if part.strip()]
