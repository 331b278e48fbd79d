"""A learner on the Practise page without a browser, by Streamlit's own websocket protocol: what a class of thirty does
to a server is measured by thirty of them on the machine that also serves them."""

import base64
import json
import time
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import urlencode, urlsplit

from streamlit.components.v2.bidi_component.main import _make_trigger_id
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.Delta_pb2 import Delta
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.sync.client import ClientConnection, connect

from dashboard.components.voice_recorder import NAME

PATIENCE_S = 240.0


@dataclass
class Scored:
    """What came back: the score as it is shown, seconds from sending it, every other text that was shown."""

    score: str
    seconds: float
    texts: str


class LearnerSession:
    """Opens the page at once; use as a context."""

    def __init__(self, address: str, lesson: str, text: str) -> None:
        self._query = urlencode({"lesson": lesson, "text": text})
        self._known: dict[str, ForwardMsg] = {}
        self._recorder = ""
        self._view = self._page = ""
        host = urlsplit(address).netloc
        self._socket: ClientConnection = connect(
            f"ws://{host}/_stcore/stream", subprotocols=["streamlit"], max_size=None, open_timeout=PATIENCE_S
        )

    def __enter__(self) -> "LearnerSession":
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.close()

    def open(self) -> None:
        """Until the page is drawn and waits for a recording."""
        self._send(BackMsg())
        for delta in self._until_finished():
            component = delta.new_element.bidi_component
            if component.component_name == NAME:
                self._recorder = component.id
                self._view = json.loads(component.json or component.mixed.json)["view"]
        assert self._recorder, "the page has no recorder"

    def record(self, wav: bytes) -> Scored:
        """Send a recording and wait for its score and the end of the page."""
        value = {"view": self._view, "nonce": "1", "wav": base64.b64encode(wav).decode()}
        message = BackMsg()
        state = message.rerun_script.widget_states.widgets.add()
        state.id = _make_trigger_id(self._recorder, "events")
        state.json_trigger_value = json.dumps([{"event": "recording", "value": value}])
        begun = time.perf_counter()
        self._send(message)
        texts: list[str] = []
        score, seconds = "", 0.0
        while not score and time.perf_counter() - begun < PATIENCE_S:  # a run that was still to come may be first
            for delta in self._until_finished():
                element = delta.new_element
                if element.HasField("metric") and not score:
                    score, seconds = element.metric.body, time.perf_counter() - begun
                texts.append(element.heading.body or element.markdown.body or element.alert.body)
        return Scored(score, seconds, "\n".join(texts))

    def _send(self, message: BackMsg) -> None:
        message.rerun_script.query_string = self._query
        if self._page:
            message.rerun_script.page_script_hash = self._page
        else:
            message.rerun_script.page_name = "practice"
        self._socket.send(message.SerializeToString())

    def _until_finished(self) -> Iterator[Delta]:
        """What one run of the page draws, as it comes."""
        while True:
            message = ForwardMsg.FromString(self._socket.recv(PATIENCE_S))
            if message.WhichOneof("type") == "ref_hash":
                message = self._known[message.ref_hash]
            elif message.hash:
                self._known[message.hash] = message
            kind = message.WhichOneof("type")
            if kind == "navigation":
                self._page = message.navigation.page_script_hash
            elif kind == "delta":
                yield message.delta
            elif kind == "script_finished":
                return
