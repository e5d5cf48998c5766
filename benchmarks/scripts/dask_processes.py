"""dask on processes."""

import dask


def work(number):
    import yaml

    return yaml.safe_load(str(number))


if __name__ == "__main__":
    parts = [dask.delayed(work)(number) for number in range(3)]
    print(dask.compute(*parts, scheduler="processes", num_workers=2))
