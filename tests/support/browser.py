"""A real Chromium, driven over its DevTools pipe (--remote-debugging-pipe: JSON messages, each ended by a zero byte)."""

import base64
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
QUIET = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
    "--hide-scrollbars",
    "--remote-debugging-pipe",
]
START = """import os, sys
os.dup2(int(sys.argv[1]), 3)  # Chromium reads commands on 3 …
os.dup2(int(sys.argv[2]), 4)  # … and writes replies on 4
os.execv(sys.argv[3], sys.argv[3:])"""
PATIENCE = 30  # s, until what a test waits for must be there


class Tab:
    """One tab. `commands` and `replies` are the two ends of the browser's pipe."""

    def __init__(self, commands: Any, replies: Any) -> None:
        self._commands, self._replies, self._number, self._session = commands, replies, 0, {}
        target = self.send("Target.createTarget", url="about:blank")["targetId"]
        self._session = {"sessionId": self.send("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]}

    def send(self, method: str, **params: Any) -> dict[str, Any]:
        self._number += 1
        message = {"id": self._number, "method": method, "params": params} | self._session
        self._commands.write(json.dumps(message).encode() + b"\0")
        self._commands.flush()
        while (reply := json.loads(self._read())).get("id") != self._number:
            pass
        assert "error" not in reply, (method, reply["error"])
        return reply["result"]

    def _wait_for_event(self, method: str) -> None:
        while json.loads(self._read()).get("method") != method:
            pass

    def _read(self) -> bytes:
        message = bytearray()
        while (byte := self._replies.read(1)) != b"\0":
            assert byte, "Chromium has ended"
            message += byte
        return bytes(message)

    def run(self, script: str) -> Any:
        """Evaluate an expression, awaiting what it promises."""
        answer = self.send("Runtime.evaluate", expression=script, awaitPromise=True, returnByValue=True)
        assert "exceptionDetails" not in answer, answer
        return answer["result"].get("value")

    def wait_for(self, condition: str) -> None:
        deadline = time.monotonic() + PATIENCE
        while not self.run(condition):
            assert time.monotonic() < deadline, (
                f"never true: {condition}; the page reads: {self.run('document.body.innerText')}"
            )
            time.sleep(0.05)

    def open(self, url: str) -> None:
        self.send("Page.navigate", url=url)
        self.wait_for("document.readyState === 'complete' && location.href !== 'about:blank'")

    def reload(self) -> None:
        """Load the page anew; it is the new one from here on."""
        self.send("Page.enable")
        self.send("Page.reload")
        self._wait_for_event("Page.loadEventFired")
        self.send("Page.disable")

    def choose_file(self, selector: str, path: Path) -> None:
        document = self.send("DOM.getDocument")["root"]["nodeId"]
        node = self.send("DOM.querySelector", nodeId=document, selector=selector)["nodeId"]
        self.send("DOM.setFileInputFiles", nodeId=node, files=[str(path)])

    def press(self, key: str) -> None:
        code = {"Tab": 9, "Enter": 13}[key]
        text = {"Enter": "\r"}.get(key, "")
        for type in ("keyDown", "keyUp"):
            self.send("Input.dispatchKeyEvent", type=type, key=key, code=key, windowsVirtualKeyCode=code, text=text)

    def look(self, width: int, scheme: str, touch: bool = False) -> None:
        """Be a screen of this width in CSS pixels, light or dark."""
        self.send("Emulation.setDeviceMetricsOverride", width=width, height=900, deviceScaleFactor=1, mobile=touch)
        self.send("Emulation.setTouchEmulationEnabled", enabled=touch)
        self.send("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])

    def screenshot(self, path: Path) -> None:
        data = self.send("Page.captureScreenshot", format="png", captureBeyondViewport=True)["data"]
        path.write_bytes(base64.b64decode(data))


@contextmanager
def chromium(profile: Path) -> Iterator[Tab]:
    """Open a tab of a fresh browser whose profile is this empty folder."""
    commands_out, commands_in = os.pipe()
    replies_out, replies_in = os.pipe()
    arguments = [sys.executable, "-c", START, str(commands_out), str(replies_in), str(CHROMIUM), *QUIET]
    browser = subprocess.Popen(
        [*arguments, f"--user-data-dir={profile}"],
        pass_fds=(commands_out, replies_in),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    os.close(commands_out)
    os.close(replies_in)
    with os.fdopen(commands_in, "wb") as commands, os.fdopen(replies_out, "rb") as replies:
        try:
            yield Tab(commands, replies)
        finally:
            browser.terminate()
            browser.wait(PATIENCE)
