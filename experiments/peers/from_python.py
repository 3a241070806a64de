#!/usr/bin/env python3
"""Run the snippets of docs/from-python.md, in their order, in an empty folder.

    pip install numpy pandas torch torchvision safetensors onnx onnxruntime
    swift build && python experiments/peers/from_python.py

Blocks of `sh` are commands, those of `python` share their names. Exits with 1 at the first that fails.
"""

import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]


def main():
    page = (ROOT / "docs/from-python.md").read_text()
    blocks = re.findall(r"^```(sh|python)\n(.*?)^```", page, re.M | re.S)
    os.environ["PATH"] = f"{ROOT / '.build/debug'}{os.pathsep}{os.environ['PATH']}"
    names = {}
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        shutil.copy(ROOT / "experiments/peers/onnx_network.py", folder)
        # A user's script lies beside what it uses.
        sys.path[0] = folder
        for language, text in blocks:
            print(f"--- {text.strip().splitlines()[0]}", flush=True)
            if language == "sh":
                subprocess.run(["bash", "-ec", text], check=True)
            else:
                exec(compile(text, "docs/from-python.md", "exec"), names)
        os.chdir(ROOT)
    print(f"{len(blocks)} snippets ran")


if __name__ == "__main__":
    main()
