"""concurrent.futures with processes."""

from concurrent.futures import ProcessPoolExecutor


def work(number):
    import pydantic

    return pydantic.TypeAdapter(int).validate_python(str(number))


if __name__ == "__main__":
    with ProcessPoolExecutor(2) as executor:
        print(list(executor.map(work, range(4))))
