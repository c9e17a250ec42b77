"""A scripted endpoint on this machine: a protocol test. No model takes part, and its numbers mean nothing."""

from __future__ import annotations

import json
import socket
import threading
from collections import Counter
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any

from baselines.llm.scripted.faults import (
    FAULTS,
    NO_FAULTS,
    Answer,
    Data,
    Exchange,
    FaultPlan,
    most_tokens,
    whole,
)

MODEL = "scripted"
"""The only model that it lists; it answers as any other as well."""

DRIP = 0.02
"""Seconds between the bytes of an answer that comes byte after byte."""

Respond = Callable[[Data], str]
Latency = float | Callable[[int], float]


class ScriptedServer:
    """Answers chat completions as a function says; a context manager that stops with all it has begun.

    A token is a word, what stands between spaces. A reply of more words than it may have is cut off.

    Args:
        respond: the body of a request -> the text of its reply; called by one thread at a time.
        faults: what goes wrong, and when.
        latency: seconds from a request to its answer, or number of the call, from 0 -> seconds.
        port: where it listens; 0 for any that is free.

    Attributes:
        bodies: of all requests, in the order in which they came.
        authorizations: their headers of that name, "" where there was none.
        peak: the most requests that were under way at once.
        prompt_tokens: read, of the usage that was sent whole.
        completion_tokens: written, of the same.
        billed_tokens: read and written, whether it was told or not: for what an endpoint would charge.
        faults_met: how often each fault happened.

    Raises:
        Exception: on leaving the context, whatever `respond` raised first; its request was not answered.
    """

    def __init__(
        self, respond: Respond, faults: FaultPlan = NO_FAULTS, latency: Latency = 0.0, port: int = 0
    ) -> None:
        self._respond, self._faults, self._latency = respond, faults, latency
        self.bodies: list[Data] = []
        self.authorizations: list[str] = []
        self.peak = self.prompt_tokens = self.completion_tokens = self.billed_tokens = 0
        self.faults_met: Counter[str] = Counter()
        self._busy = 0
        self._broken: list[Exception] = []
        self._counting, self._responding = threading.Lock(), threading.Lock()
        self._closing = threading.Event()
        self._http = _Listener(("127.0.0.1", port), _handler(self))
        self._thread = threading.Thread(target=self._http.serve_forever, args=(0.02,), daemon=True)

    @property
    def base_url(self) -> str:
        """Its address, as `EndpointSettings` takes it."""
        return f"http://127.0.0.1:{self._http.server_address[1]}/v1"

    @property
    def calls(self) -> int:
        """How many completions were asked for."""
        return len(self.bodies)

    def __enter__(self) -> ScriptedServer:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._closing.set()
        self._http.shutdown()
        self._thread.join()
        self._http.server_close()
        if self._broken and error is None:
            raise self._broken[0]

    def answer(self, asked: Data, authorization: str) -> Answer:
        """What a request gets, after its latency."""
        with self._counting:
            number = len(self.bodies)
            self.bodies.append(asked)
            self.authorizations.append(authorization)
            self._busy += 1
            self.peak = max(self.peak, self._busy)
        try:
            self._closing.wait(self._latency(number) if callable(self._latency) else self._latency)
            with self._responding:
                completion = completion_of(number, asked, self._respond(asked))
            answer = self._spoiled(number, Exchange(asked, authorization, completion))
            if answer.ending == "never":
                self._closing.wait()
        except Exception as error:
            self._broken.append(error)
            raise
        finally:
            # Before the answer is sent: whoever has it may ask again at once.
            with self._counting:
                self._busy -= 1
        return answer

    def _spoiled(self, number: int, exchange: Exchange) -> Answer:
        usage: Data = exchange.completion["usage"]
        answer = whole(exchange.completion)
        met = None
        for name in self._faults.of(number):
            wrong = FAULTS[name](exchange)
            if wrong is not None:
                answer, met = wrong, name
                break
        told: Data = _usage_in(answer)
        with self._counting:
            self.faults_met.update([] if met is None else [met])
            self.prompt_tokens += told.get("prompt_tokens", 0)
            self.completion_tokens += told.get("completion_tokens", 0)
            self.billed_tokens += (told or usage)["total_tokens"] if answer.billed else 0
        return answer


def completion_of(number: int, asked: Data, text: str) -> Data:
    """A chat completion in OpenAI's form, cut off where the request wants no more."""
    limit, words = most_tokens(asked), text.split()
    cut = limit is not None and len(words) > limit
    written = min(len(words), limit) if limit is not None else len(words)
    read = sum(len(message["content"].split()) for message in asked["messages"])
    return {
        "id": f"scripted-{number}",
        "object": "chat.completion",
        "created": 0,
        "model": asked["model"],
        "system_fingerprint": MODEL,
        "choices": [
            {
                "index": 0,
                "message": {"role": "assistant", "content": " ".join(words[:written]) if cut else text},
                "finish_reason": "length" if cut else "stop",
            }
        ],
        "usage": {"prompt_tokens": read, "completion_tokens": written, "total_tokens": read + written},
    }


def _usage_in(answer: Answer) -> Data:
    """The usage that whoever asked gets to read."""
    if answer.ending != "whole":
        return {}
    try:
        return json.loads(answer.body).get("usage") or {}
    except ValueError:
        return {}


class _Listener(ThreadingHTTPServer):
    """Waits, on closing, for the threads of all connections, which it closes."""

    daemon_threads = False
    # Many may come at once; one that finds no place would try again a second later.
    request_queue_size = 128

    def __init__(self, address: tuple[str, int], handler: type[BaseHTTPRequestHandler]) -> None:
        # First, for where the port is taken this is closed at once.
        self._open: set[socket.socket] = set()
        super().__init__(address, handler)

    def process_request(self, request: Any, client_address: Any) -> None:
        self._open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        self._open.discard(request)
        super().shutdown_request(request)

    def server_close(self) -> None:
        for connection in tuple(self._open):
            try:
                connection.shutdown(socket.SHUT_RDWR)
            except OSError:
                continue  # Closed by the other side.
        super().server_close()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Nothing: whoever asked may go at any time, and does where its patience ends."""


def _handler(server: ScriptedServer) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def do_GET(self) -> None:
            known = self.path == "/v1/models"
            models = {"object": "list", "data": [{"id": MODEL, "object": "model"}]}
            self._send(whole(models) if known else Answer(b"{}", status=404))

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            if self.path != "/v1/chat/completions":
                self._send(Answer(b"{}", status=404))
                return
            self._send(server.answer(json.loads(body), self.headers.get("Authorization", "")))

        def log_message(self, format: str, *arguments: Any) -> None:
            """Nothing."""

        def _send(self, answer: Answer) -> None:
            if answer.ending in ("nothing", "never"):
                self.close_connection = True
                return
            lines = [f"HTTP/1.1 {answer.status} -", f"Content-Length: {len(answer.body)}"]
            lines += [f"{name}: {value}" for name, value in answer.headers.items()]
            head = "\r\n".join([*lines, "", ""]).encode()
            if answer.ending == "drip":
                self._drip(head + answer.body)
                return
            whole_body = answer.ending == "whole"
            self.close_connection = self.close_connection or not whole_body
            # In one piece, so that nothing waits for an acknowledgement.
            self.wfile.write(head + (answer.body if whole_body else answer.body[: len(answer.body) // 2]))

        def _drip(self, data: bytes) -> None:
            self.close_connection = True
            for number in range(len(data)):
                self.wfile.write(data[number : number + 1])
                if server._closing.wait(DRIP):
                    return

    return Handler
