"""Downloads that break, at every place and in every way: the right image, or one line; what is asked for again is counted."""

from __future__ import annotations

import gzip
import os
import shutil
import signal
import subprocess
import threading
from collections.abc import Callable

import pytest

from acfetch.partial import HEAD, WORTH
from tests.acfetch.breaking import ETAG, Breaking
from tests.acfetch.customer import PAGE, PROGRAM, Customer, app, id_of, manifest, without_waits
from tests.support import images
from tests.support.gpg import Signer
from tests.support.server import Answer, Request

NAME = "example.com/app"
FILES = {"file": bytes(os.urandom(WORTH + 99))}
BIG = images.image(FILES, manifest())
OTHER = images.image({"file": bytes(os.urandom(WORTH + 99))}, manifest())


def offer(customer: Customer, file: Breaking) -> Breaking:
    """Publish what *file* holds, answered for by it."""
    customer.server.decisions[customer.publish(NAME, file.data)] = file
    return file


def take_turns(customer: Customer, data: bytes, *answers: Callable[[Request], Answer]) -> None:
    """Publish an image whose URL is answered for by each of *answers* in turn."""
    left = list(answers)

    def answer(request: Request) -> Answer:
        return left.pop(0)(request)

    customer.server.decisions[customer.publish(NAME, data)] = answer


def partials(customer: Customer) -> list[str]:
    return os.listdir(customer.store / "partial")


@pytest.mark.parametrize("compression", ["none", "gzip"])
def test_a_break_anywhere_is_gone_on_from(compression: str, customer: Customer) -> None:
    data = images.tar({"file": os.urandom(300)}, manifest())
    data = images.compress(data, compression)
    image_id = images.image_id(gzip.decompress(data) if compression == "gzip" else data)
    places = sorted({0, 1, 100, 511, 512, 513, 1024, len(data) // 2, len(data) - 1})
    for place in [one for one in places if one < len(data)]:
        file = offer(customer, Breaking(data, [place]))
        [line] = customer.fetch(NAME)
        assert line.endswith(f"{image_id}.aci")
        assert file.starts == [0, place]
        shutil.rmtree(customer.store / "images")


def test_many_breaks_are_gone_on_from_and_nothing_comes_twice(customer: Customer) -> None:
    file = offer(customer, Breaking(BIG, [300_000, 300_000, 300_000]))
    [line] = customer.fetch(NAME)
    assert file.starts == [0, 300_000, 600_000, 900_000]
    assert customer.record(line)["servedSize"] == len(BIG)
    assert partials(customer) == []


def test_without_an_end_of_breaks_it_ends(customer: Customer) -> None:
    file = offer(customer, Breaking(app(), [1] * 99))
    assert "the connection ended early, after 5 of" in customer.refused(69, NAME)
    assert file.starts == [0, 1, 2, 3, 4]
    customer.configure("fetch.json", {"retries": 0})
    file.starts.clear()
    customer.refused(69, NAME)
    assert file.starts == [0]


VALIDATORS: dict[str, tuple[dict[str, str], list[int]]] = {
    "a date": (
        {"Last-Modified": "Sun, 06 Nov 1994 08:49:37 GMT", "Date": "Sun, 06 Nov 1994 09:49:37 GMT"},
        [0, 99],
    ),
    "nothing": ({}, [0, 0]),
    "a weak ETag": ({"ETag": 'W/"x"'}, [0, 0]),
    "an ETag, but it takes no ranges": ({"ETag": ETAG, "Accept-Ranges": "none"}, [0, 0]),
}


@pytest.mark.parametrize(("headers", "starts"), VALIDATORS.values(), ids=VALIDATORS)
def test_it_goes_on_or_starts_over_when_the_server_says(headers: dict[str, str], starts: list[int], customer: Customer) -> None:
    file = offer(customer, Breaking(app(), [99], headers))
    customer.fetch(NAME)
    assert file.starts == starts


def test_a_server_that_is_overloaded_is_asked_again_for_signature_and_image(customer: Customer) -> None:
    url = customer.publish(NAME, app())
    for one in (f"{url}.asc", url):
        good, busy = customer.server.answers[one], [Answer(status=503), Answer(status=429, headers={"Retry-After": "3"})]
        customer.server.decisions[one] = lambda _, good=good, busy=busy: busy.pop() if busy else good  # type: ignore[misc]
    customer.fetch(NAME)
    assert [customer.server.asked.count(one) for one in (f"{url}.asc", url)] == [3, 3]


def test_people_are_told_of_each_wait_and_why_unless_they_want_quiet(customer: Customer) -> None:
    url = customer.publish(NAME, app())
    for words in ([], ["--quiet"]):
        busy = [Answer(status=503), Answer(status=429, headers={"Retry-After": "3"})]
        customer.server.decisions[url] = lambda _, busy=busy: busy.pop() if busy else Answer(app())  # type: ignore[misc]
        ended = customer.run("--pull=update", *words, NAME)
        lines = [line for line in ended.err.splitlines() if "again" in line]
        assert lines[:1] == ([] if words else [f"acfetch: {url}: the server answered 429; asked again in 3.0 s (1 of 4)"])
        assert len(lines) == (0 if words else 2)
        shutil.rmtree(customer.store / "images")


@pytest.mark.parametrize("failure", [Answer(status=503), Answer(raw=b"HTTP/1.1 ")], ids=["a failure", "a break"])
def test_a_discovery_page_is_asked_for_again_after(failure: Answer, customer: Customer) -> None:
    customer.publish(NAME, app())
    own = f"https://{NAME}?ac-discovery=1"
    failures = [failure, failure]
    customer.server.decisions[own] = lambda _: failures.pop() if failures else Answer(status=404)
    customer.fetch(NAME)
    assert customer.server.asked[:4] == [own, own, own, PAGE]
    failures += [failure] * 9
    customer.server.requests.clear()
    customer.refused(69, "example.com/app:2")  # 5xx does not lead to the parent
    assert set(customer.server.asked) == {f"https://{NAME}?ac-discovery=1"}


def test_a_server_that_fails_in_the_middle_is_asked_again(customer: Customer) -> None:
    file = Breaking(app(), [99])
    take_turns(customer, file.data, file, lambda _: Answer(status=500), lambda _: Answer(raw=b"HTTP/1.1 "), file)
    customer.fetch(NAME)
    assert file.starts == [0, 99]


def lying(request: Request, **headers: str) -> Answer:
    """Answer a range with 206 and these headers, and anything else with a start of the image."""
    if "range" not in request.headers:
        return Answer(BIG[:500_000], headers={"ETag": ETAG}, length=len(BIG))
    return Answer(BIG[500_000:], 206, headers)


RANGE = f"bytes 500000-{len(BIG) - 1}/{len(BIG)}"
LIES: dict[str, Callable[[Request], Answer]] = {
    "the whole instead of the rest": lambda request: Answer(BIG, headers={"ETag": ETAG}),
    "no Content-Range": lying,
    "another start": lambda request: lying(request, **{"Content-Range": RANGE.replace("500000", "0")}),
    "another ETag": lambda request: lying(request, **{"Content-Range": RANGE, "ETag": '"two"'}),
    "nothing there": lambda request: Answer(status=416),
}


@pytest.mark.parametrize("lie", LIES.values(), ids=LIES)
def test_it_starts_over_when_the_server_answers_a_range_with(lie: Callable[[Request], Answer], customer: Customer) -> None:
    file = Breaking(BIG, [500_000])
    take_turns(customer, BIG, file, lie, file)
    [line] = customer.fetch(NAME)
    assert line.endswith(f"{id_of(BIG)}.aci")
    assert partials(customer) == []
    assert file.starts == [0, 0]


def test_an_image_that_changes_with_its_signature_meanwhile_comes_as_it_is_now(customer: Customer, publisher: Signer) -> None:
    old = Breaking(OTHER, [500_000], {"ETag": '"old"'})
    url = customer.publish(NAME, OTHER)

    def answer(request: Request) -> Answer:
        if old.starts:
            customer.server.answers[f"{url}.asc"] = Answer(publisher.sign(BIG))
            return Breaking(BIG)(request)
        return old(request)

    customer.server.decisions[url] = answer
    [line] = customer.fetch(NAME)
    assert line.endswith(f"{id_of(BIG)}.aci")


def test_parts_that_do_not_belong_together_are_fetched_once_more_as_a_whole(customer: Customer) -> None:
    first, second = Breaking(OTHER, [500_000]), Breaking(BIG)  # both under one ETag
    take_turns(customer, BIG, first, second, second)
    [line] = customer.fetch(NAME)
    assert line.endswith(f"{id_of(BIG)}.aci")
    assert (first.starts, second.starts) == ([0], [500_000, 0])


def test_what_is_wrong_as_a_whole_is_wrong(customer: Customer, mallory: Signer) -> None:
    url = customer.publish(NAME, BIG, by=mallory)
    file = customer.server.decisions[url] = Breaking(BIG, [500_000])
    assert "signature" in customer.refused(77, NAME)
    assert file.starts == [0, 500_000, 0]
    assert partials(customer) == []


# The next run


def break_off(customer: Customer, file: Breaking) -> None:
    """Let a run end in the middle of a download."""
    customer.configure("fetch.json", {"retries": 0})
    offer(customer, file)
    customer.refused(69, NAME)
    file.starts.clear()


@pytest.mark.parametrize("compression", ["none", "gzip"])
def test_the_next_run_goes_on(compression: str, customer: Customer) -> None:
    data = images.compress(images.tar(FILES, manifest()), compression)
    file = Breaking(data, [900_000])
    break_off(customer, file)
    (kept,) = (customer.store / "partial").iterdir()
    assert kept.stat().st_size == HEAD + 900_000
    [line] = customer.fetch(NAME)
    assert file.starts == [900_000]
    assert customer.record(line)["servedSize"] == len(data)
    assert partials(customer) == []


def test_the_next_run_starts_over_when_the_image_has_changed(customer: Customer) -> None:
    break_off(customer, Breaking(OTHER, [900_000]))
    file = offer(customer, Breaking(BIG, headers={"ETag": '"two"'}))
    [line] = customer.fetch(NAME)
    assert line.endswith(f"{id_of(BIG)}.aci")
    assert file.starts == [900_000]  # and the answer was the whole
    shutil.rmtree(customer.store / "images")
    break_off(customer, Breaking(OTHER, [900_000]))
    customer.server.decisions[customer.publish(NAME, app(labels={}))] = file = Breaking(app(labels={}))
    [line] = customer.fetch(NAME)
    assert (line.endswith(f"{id_of(app(labels={}))}.aci"), file.starts) == (True, [900_000, 0])


def test_a_kept_start_that_is_damaged_costs_one_whole_download(customer: Customer) -> None:
    file = Breaking(BIG, [900_000])
    break_off(customer, file)
    (kept,) = (customer.store / "partial").iterdir()
    data = bytearray(kept.read_bytes())
    data[HEAD + 450_000] ^= 1
    kept.write_bytes(data)
    customer.fetch(NAME)
    assert file.starts == [900_000, 0]


def test_a_run_that_fails_elsewhere_need_not_fetch_again_what_it_had(customer: Customer) -> None:
    needing = images.image(FILES, manifest(dependencies=[{"imageName": "example.com/lib"}]))
    file = offer(customer, Breaking(needing))
    customer.refused(69, NAME)
    customer.publish("example.com/lib", app("example.com/lib"))
    file.starts.clear()
    customer.fetch(NAME)
    assert file.starts == [len(needing) - 1]
    assert partials(customer) == []


def test_without_a_signature_it_goes_on_as_well_but_not_from_what_came_without_tls(customer: Customer) -> None:
    file = Breaking(BIG, [900_000, 100_000])
    break_off(customer, file)
    assert "ended early" in customer.refused(69, "--insecure-options=image,tls", NAME)
    customer.fetch("--insecure-options=image", NAME)
    assert file.starts == [0, 900_000]
    assert len(partials(customer)) == 1


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_after_a_kill_the_next_run_goes_on(number: signal.Signals, customer: Customer) -> None:
    file, silent = Breaking(BIG), threading.Event()
    url = customer.publish(NAME, BIG)
    customer.server.decisions[url] = lambda _: Answer(BIG[:900_000], 200, file.headers, length=len(BIG), silent=silent)
    partial = customer.store / "partial"
    with subprocess.Popen([*PROGRAM, NAME], stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert silent.wait(60)
        while not any(one.stat().st_size == HEAD + 900_000 for one in partial.iterdir()):
            assert process.poll() is None
        process.send_signal(number)
        process.communicate(timeout=45)
    customer.server.decisions[url] = file
    customer.fetch(NAME)
    assert file.starts == [900_000]
    assert partials(customer) == []


def test_a_second_process_downloads_on_its_own(customer: Customer) -> None:
    file, silent = Breaking(BIG), threading.Event()
    url = customer.publish(NAME, BIG)
    customer.server.decisions[url] = lambda _: Answer(BIG[:900_000], 200, file.headers, length=len(BIG), silent=silent)
    with subprocess.Popen([*PROGRAM, NAME], stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert silent.wait(60)
        customer.server.decisions[url] = file
        assert customer.run_program(NAME).code == 0
        assert file.starts == [0]
        process.terminate()
        process.communicate(timeout=45)


def test_a_signal_ends_the_wait_before_the_next_try(customer: Customer) -> None:
    busy: list[Request] = []
    url = customer.publish(NAME, BIG)
    file = Breaking(BIG, [900_000])

    def answer(request: Request) -> Answer:
        if not file.starts:
            return file(request)
        busy.append(request)
        return Answer(status=503, headers={"Retry-After": "59"})

    customer.server.decisions[url] = answer
    with subprocess.Popen([*PROGRAM, NAME], stdout=subprocess.PIPE, stderr=subprocess.PIPE, bufsize=0) as process:
        assert process.stderr is not None
        while b"; asked again in 59.0 s" not in (line := process.stderr.readline()):
            assert line, "it ended and waited for nothing"
        process.send_signal(signal.SIGINT)
        out, err = process.communicate()
    assert (process.returncode, out, err, len(busy)) == (130, b"", b"", 1)
    assert os.listdir(customer.store / "tmp") == []


def test_a_signal_ends_the_wait_for_an_answer_to_the_next_try(customer: Customer) -> None:
    asked, end = threading.Event(), threading.Event()
    url = customer.publish(NAME, BIG)
    file = Breaking(BIG, [900_000])

    def answer(request: Request) -> Answer:
        if not file.starts:
            return file(request)
        asked.set()
        end.wait()
        return Answer(status=503)

    customer.server.decisions[url] = answer
    with subprocess.Popen([*PROGRAM, NAME], stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        try:
            assert asked.wait(60)
            process.send_signal(signal.SIGINT)
            out, err = process.communicate()
        finally:
            end.set()
    assert (process.returncode, out, without_waits(err.decode())) == (130, b"", [])
