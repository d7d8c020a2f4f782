"""Whatever names a labelled set → its listing: a folder, a table, an archive, or any of these in a bucket."""

from dataclasses import replace
from pathlib import Path

from model.stores.addresses import is_remote
from training.errors import DatasetError
from training.sources.archives import is_archive, unpack
from training.sources.folders import list_folder
from training.sources.listing import Listing, Reading
from training.sources.remote import download
from training.sources.tables import list_tables, read_table


def list_images(place: str | Path, how: Reading) -> Listing:
    """List the labelled images at a place, and say in which layout. Raises DatasetError where there are none."""
    address = str(place)
    if is_remote(address):
        path, left = download(address, how)
        home = address.rstrip("/") if path.is_dir() else address.rpartition("/")[0]
        listing = _list_local(path, replace(how, confined=True, home=home))
        return replace(listing, layout=f"{address}: {listing.layout}", problems=(*left, *listing.problems))
    return _list_local(Path(place), how)


def _list_local(path: Path, how: Reading) -> Listing:
    if not path.exists():
        raise DatasetError(
            f"{path} is not a folder, and no file either: give a folder of labels, a table or an archive"
        )
    if path.is_dir():
        return list_folder(path, how)
    if is_archive(path):
        folder = unpack(path, how)
        try:
            listing = list_folder(folder, replace(how, confined=True, home=""))
        except DatasetError as error:  # it names the folder in the cache, which nobody knows
            raise DatasetError(str(error).replace(str(folder), str(path))) from error
        return replace(listing, layout=f"{path.name}: {listing.layout}")
    table = read_table(path)
    if table is None:
        raise DatasetError(
            f"{path} is not a folder, no archive, and no table of images: name its columns path and label "
            "(and part: train, validation or test)"
        )
    return list_tables([(table, None)], path.parent, how)
