"""The image store: uncompressed tars under their image ID, each with a record of where it came from and who signed it.

An image is in the store when its record and its file are: the file is made first, the record last, each whole and durable. So any
number of processes may add at once, and a kill at any moment leaves only whole files. Nothing here fetches, verifies, trusts or
removes images.

Source: spec/store.md; aci.md, Image ID.
"""

from __future__ import annotations

import fcntl
import os
from contextlib import contextmanager

from acspec.descriptors import write_all
from acspec.durable import is_new_file, list_names, make_directories, sweep, sync_directory, write_file
from acspec.errors import ConfigError, FormatError, MissingInputError, OutputError
from acspec.fields import Fields
from acspec.freshness import Freshness
from acspec.image_use import date_image, hold_image
from acspec.jsontext import dump_json, read_json_file
from acspec.labels import Label, find_mismatch, label_map, labels_json, read_labels
from acspec.names import ACIdentifier, ImageID, parse_ac_identifier, parse_image_id
from acspec.ownership import is_owned_by_us
from acspec.references import ImageIDArgument, ImageReference
from acspec.values import Value, replace

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from types import TracebackType
    from typing import Self

    from acspec.jsontext import JSONValue

FORMAT = "1"
_PREFIX = "sha512-"
_ID_LENGTH = len(_PREFIX) + 128
_HEX = frozenset("0123456789abcdef")
_BEING_MADE = ("image-", "gpg-")


class ImageRecord(Value):
    """What the store knows of an image: sizes in bytes, times in RFC 3339.

    *dependencies* are the IDs they were resolved to, in the manifest's order; *signer* is a fingerprint, or None when nobody's
    signature was asked for; *given_up* are the words of --insecure-options that this image needed.
    """

    id: ImageID
    name: ACIdentifier
    labels: tuple[Label, ...] = ()
    dependencies: tuple[ImageID, ...] = ()
    origin: str = ""
    served_size: int = 0
    served_digest: str = ""
    signer: str | None = None
    given_up: tuple[str, ...] = ()
    imported: str = ""
    freshness: Freshness | None = None

    @classmethod
    def read(cls, fields: Fields) -> ImageRecord:
        """Return the record in *fields*. Raises: FormatError. Source: spec/store.md, Records."""
        ids = fields.texts("dependencies")
        freshness = fields.object("freshness")
        return cls(
            id=fields.named("id", parse_image_id),
            name=fields.named("name", parse_ac_identifier),
            labels=read_labels(fields),
            dependencies=tuple(parse_image_id(text, fields.at(f"dependencies[{n}]")) for n, text in enumerate(ids)),
            origin=fields.text("origin"),
            served_size=fields.integer("servedSize", 0, 2**63 - 1) or 0,
            served_digest=fields.text("servedDigest"),
            signer=fields.optional_text("signer"),
            given_up=fields.texts("givenUp"),
            imported=fields.text("imported"),
            freshness=None if freshness is None else Freshness.read(freshness),
        )

    def to_json(self) -> dict[str, JSONValue]:
        """Return the record as JSON. Source: spec/store.md, Records."""
        return {
            "id": self.id,
            "name": self.name,
            "labels": labels_json(self.labels),
            "dependencies": list(self.dependencies),
            "origin": self.origin,
            "servedSize": self.served_size,
            "servedDigest": self.served_digest,
            "signer": self.signer,
            "givenUp": list(self.given_up),
            "imported": self.imported,
            "freshness": None if self.freshness is None else self.freshness.to_json(),
        }


class Store:
    """The images below one DATA directory; an absent directory is an empty store.

    `images` is where their files lie, `damaged` where those lie that were found damaged, `tmp` where what is being made lies.
    """

    def __init__(self, path: str) -> None:
        self.path = path
        self.images = os.path.join(path, "images")
        self.damaged = os.path.join(path, "damaged")
        self.tmp = os.path.join(path, "tmp")

    @classmethod
    def open(cls, path: str, *, create: bool = False) -> Store:
        """Return the store at *path*, made first when *create*.

        Raises: ConfigError when it is of another format; OutputError; OSError.
        Source: spec/store.md, Layout.
        """
        store = cls(os.path.abspath(path))
        if create:
            store._create()
        store._check_version()
        return store

    def _create(self) -> None:
        for directory in (self.path, self.images, self.tmp, os.path.join(self.path, "partial")):
            make_directories(directory, 0o755)
        self.sweep()
        version = os.path.join(self.path, "version")
        if not os.path.exists(version):
            write_file(version, f"{FORMAT}\n".encode("ascii"))

    def sweep(self) -> None:
        """Remove what writers that were killed left behind; whoever is alive holds the lock of what is being written.

        Nothing is removed behind a link, or in the store of somebody else: its directories could become any of the machine's.

        Raises: OSError.
        Source: spec/store.md, Adding an image.
        """
        top = os.open(self.path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            if is_owned_by_us(os.fstat(top)):
                for name, is_left in ((".", is_new_file), ("images", is_new_file), ("tmp", _is_being_made)):
                    sweep(name, is_left, dir_fd=top)
        finally:
            os.close(top)

    @contextmanager
    def changing(self) -> Iterator[None]:
        """Be the only one who changes which images there are, for the duration of a block; whoever else wants to waits.

        Raises: OSError where nothing may be changed.
        Source: spec/store.md, Locks.
        """
        path = os.path.join(self.path, "lock")
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        try:
            _share_lock(descriptor, os.stat(self.images))
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield
        finally:
            os.close(descriptor)

    def _check_version(self) -> None:
        path = os.path.join(self.path, "version")
        try:
            with open(path, encoding="utf-8", errors="replace") as file:
                found = file.read(64)
        except FileNotFoundError:
            return
        if found != f"{FORMAT}\n":
            raise ConfigError(path, f'this store has format "{found.strip()}", this program knows {FORMAT}')

    def image_path(self, image_id: str) -> str:
        """Return the absolute path of an image's file, whether it is there or not. Source: spec/store.md, Layout."""
        return os.path.join(self.images, f"{image_id}.aci")

    def signature_path(self, image_id: str) -> str:
        """Return the absolute path of an image's signature, whether it is there or not. Source: spec/store.md, Layout."""
        return os.path.join(self.images, f"{image_id}.asc")

    def record_path(self, image_id: str) -> str:
        """Return the absolute path of an image's record, whether it is there or not. Source: spec/store.md, Layout."""
        return os.path.join(self.images, f"{image_id}.json")

    def read_record(self, image_id: str) -> ImageRecord:
        """Return the record of an image, whether its file is there or not.

        Raises: MissingInputError when there is none; FormatError when it is damaged; OSError.
        Source: spec/store.md, Records.
        """
        path = self.record_path(image_id)
        record = ImageRecord.read(Fields(read_json_file(path), path))
        if record.id != image_id:
            raise FormatError(path, "is the record of another image")
        return record

    def find(self, image_id: str) -> ImageRecord | None:
        """Return the record of an image, or None when it is not in the store.

        Raises: FormatError when the record is damaged; OSError.
        Source: spec/store.md, Records.
        """
        try:
            record = self.read_record(image_id)
        except MissingInputError:
            return None
        return record if os.path.exists(self.image_path(image_id)) else None

    def find_whole(self, image_id: str) -> ImageRecord | None:
        """Return the record of an image, or None when it is not in the store or the record is damaged. Raises: OSError."""
        try:
            return self.find(image_id)
        except FormatError:
            return None

    def find_prefix(self, text: str) -> ImageRecord | None:
        """Return the record of the one image whose ID begins with *text*, or None.

        Raises: MissingInputError when several do; FormatError; OSError.
        Source: spec/store.md, Image arguments.
        """
        if len(text) == _ID_LENGTH:
            return self.find(text)
        found = [image_id for image_id in self.ids() if image_id.startswith(text)]
        if len(found) > 1:
            raise MissingInputError(text, f"means {len(found)} images", "give more of the ID")
        return self.find(found[0]) if found else None

    def find_named(self, name: str, labels: Mapping[str, str]) -> ImageRecord | None:
        """Return the newest import of that name with all *labels*; os and arch not asked for are absent or this machine's.

        A record that is damaged hides its own image and no other.

        Raises: OSError.
        Source: discovery.md, Validation; spec/store.md, Image arguments.
        """
        whole = self.whole_records().values()
        matching = [item for item in whole if item.name == name and find_mismatch(labels, item.labels) is None]
        return max(matching, key=lambda record: (record.imported, record.id), default=None)

    def find_meant(self, argument: ImageIDArgument | ImageReference) -> ImageRecord | None:
        """Return the image that a word on a command line means, or None when it is not in the store.

        Raises: MissingInputError when the beginning of an ID means several; FormatError; OSError.
        Source: spec/store.md, Image arguments.
        """
        if isinstance(argument, ImageIDArgument):
            return self.find_prefix(argument.prefix)
        if argument.image_id is None:
            return self.find_named(argument.name, argument.labels)
        record = self.find(argument.image_id)
        fits = record is not None and record.name == argument.name and argument.labels.items() <= label_map(record.labels).items()
        return record if fits else None

    def records(self) -> Iterator[ImageRecord]:
        """Yield the record of every image, by ID. Raises: FormatError; OSError. Source: spec/store.md, Records."""
        for image_id in self.ids():
            record = self.find(image_id)
            if record is not None:
                yield record

    def whole_records(self) -> dict[ImageID, ImageRecord]:
        """Return the record of every image, by ID, but for those that are damaged. Raises: OSError."""
        found = (self.find_whole(image_id) for image_id in self.ids())
        return {record.id: record for record in found if record is not None}

    def ids(self) -> list[ImageID]:
        """Return the ID in the name of each record, sorted, whether record and file are well or not. Raises: OSError."""
        stems = (name.removesuffix(".json") for name in list_names(self.images) if name.endswith(".json"))
        return [ImageID(stem) for stem in stems if _is_image_id(stem)]

    def size(self, image_id: str) -> int:
        """Return the bytes of an image's file, 0 when it is not there. Raises: OSError."""
        try:
            return os.lstat(self.image_path(image_id)).st_size
        except FileNotFoundError:
            return 0

    def last_used(self, image_id: str) -> float:
        """Return when an image was last used, in seconds since 1970; 0 when it is not in the store. Raises: OSError."""
        try:
            return os.stat(self.record_path(image_id)).st_mtime
        except FileNotFoundError:
            return 0.0

    def hold(self, image_id: str) -> int:
        """Keep an image in the store until the descriptor that is returned is closed, and date it.

        Raises: BusyError when somebody is removing it; FileNotFoundError when it is not there; OSError.
        Source: spec/store.md, Locks.
        """
        return hold_image(self.image_path(image_id))

    def renew(self, record: ImageRecord) -> None:
        """Put *record* in the place of one that says the same but for its freshness; where the caller may not, it stays as it was.

        Source: spec/store.md, Freshness.
        """
        try:
            with self.changing():
                present = self.find_whole(record.id)
                if present is not None and replace(present, freshness=record.freshness) == record:
                    write_file(self.record_path(record.id), dump_json(record.to_json()))
        except (OSError, OutputError):  # a store of somebody else's, or one that can only be read
            pass

    def new_image(self) -> NewImage:
        """Return a writer for a new image. Raises: OutputError; OSError. Source: spec/store.md, Adding an image."""
        return NewImage(self)


class NewImage:
    """An image being written into DATA/tmp under a lock; used as a context manager, it leaves nothing unless published."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._directory = store.tmp
        while True:
            self._path = os.path.join(self._directory, f"image-{os.urandom(8).hex()}")
            self.fd = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
            fcntl.flock(self.fd, fcntl.LOCK_SH)  # under its final name, others will use it beside us
            if os.fstat(self.fd).st_nlink:  # no gc took it for a dead one in the moment before the lock
                return
            os.close(self.fd)

    def __enter__(self) -> Self:
        """Return itself."""
        return self

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None) -> None:
        """Remove what was not published, and close."""
        self.close()

    def write(self, data: bytes | memoryview) -> None:
        """Append *data* to the uncompressed tar. Raises: OSError with the path."""
        write_all(self.fd, data, self._store.path)

    def publish(self, record: ImageRecord, signature: bytes | None) -> str:
        """Put the image, its signature and its record into the store, durably, and return the image's path.

        A file of the same ID is replaced, since only this one is surely whole; its record stays when the new one gives up more.

        Raises: OutputError; OSError.
        Source: spec/store.md, Adding an image.
        """
        store = self._store
        path = store.image_path(record.id)
        os.fchmod(self.fd, 0o444)
        os.fsync(self.fd)  # what takes long is done before others have to wait
        with store.changing():
            present = store.find_whole(record.id)  # a damaged record is written anew
            os.rename(self._path, path)
            self._path = ""
            if present is None or _is_better(record, present):
                if signature is not None:
                    write_file(store.signature_path(record.id), signature, mode=0o444)
                write_file(store.record_path(record.id), dump_json(record.to_json()))
            else:
                date_image(path)
            sync_directory(store.images)
        return path

    def close(self) -> None:
        """Close; remove the temporary file when it was not published. May be called again."""
        if self.fd < 0:
            return
        if self._path:
            try:
                os.unlink(self._path)
            except FileNotFoundError:
                pass
        os.close(self.fd)
        self.fd = -1


def _is_being_made(name: str) -> bool:
    return name.startswith(_BEING_MADE)


def _is_image_id(text: str) -> bool:
    return len(text) == _ID_LENGTH and text.startswith(_PREFIX) and _HEX.issuperset(text[len(_PREFIX) :])


def _is_better(new: ImageRecord, old: ImageRecord) -> bool:
    """Tell whether a record says at least as much for an image as the one that is there."""
    return set(new.given_up) <= set(old.given_up) and (new.signer is not None or old.signer is None)


def _share_lock(descriptor: int, images: os.stat_result) -> None:
    """Let who may change the images open the lock, and nobody else: whoever can open it can keep all others waiting."""
    writers = images.st_mode & 0o022
    mode = 0o600 | writers | writers << 1
    status = os.fstat(descriptor)
    if status.st_uid == os.geteuid() and status.st_mode & 0o777 != mode:
        os.fchmod(descriptor, mode)
