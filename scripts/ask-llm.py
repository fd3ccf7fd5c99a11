#!/usr/bin/env python3
"""Asks a large language model which clicks of each history do not belong.

    ingle reader export --data data/noisy --split unseen --out histories.jsonl
    scripts/ask-llm.py histories.jsonl answers.jsonl --url http://127.0.0.1:8000/v1 --model NAME
    ingle reader score --answers answers.jsonl --data data/noisy --split unseen --out unseen.safetensors --evaluate

The server speaks OpenAI's chat completions, as llama.cpp, vLLM, Ollama and hosted services do. Titles leave this
machine for it. Answers are added to the file as they come, and the same command again asks only for those that are
missing. A key is read from the environment variable INGLE_API_KEY.
"""

import argparse
import json
import os
import re
import sys
import time
import urllib.error
import urllib.request
from concurrent.futures import ThreadPoolExecutor, as_completed

INSTRUCTION = """These are the titles of the items that one shopper clicked, oldest first. Some clicks may be accidents, gifts \
or somebody else's. Answer with nothing but a JSON list of {count} numbers from 0 to 1: for each title in turn, how likely \
that click does not belong to what this shopper is interested in."""


def ask(args, titles):
    """How likely each title is noise."""
    listed = "\n".join(f"{at}. {title or '(no title)'}" for at, title in enumerate(titles, 1))
    request = {
        "model": args.model,
        "temperature": 0,
        "messages": [{"role": "user", "content": f"{INSTRUCTION.format(count=len(titles))}\n\n{listed}"}],
    }
    headers = {"content-type": "application/json"}
    if key := os.environ.get("INGLE_API_KEY"):
        headers["authorization"] = f"Bearer {key}"
    url = f"{args.url.rstrip('/')}/chat/completions"
    with urllib.request.urlopen(urllib.request.Request(url, json.dumps(request).encode(), headers), timeout=args.timeout) as answer:
        text = json.load(answer)["choices"][0]["message"]["content"]
    return probabilities(text, len(titles))


def probabilities(text, count):
    """The last list of as many probabilities in an answer, which may think aloud before it."""
    for found in reversed(re.findall(r"\[[^\[\]]*\]", text)):
        try:
            noise = json.loads(found)
        except ValueError:
            continue
        if len(noise) == count and all(type(p) in (int, float) and 0 <= p <= 1 for p in noise):
            return noise
    raise ValueError(f"no list of {count} numbers from 0 to 1 in the answer {text[:200]!r}")


def ask_with_patience(args, titles):
    """Asks again where the server is busy or the answer is of no use."""
    for attempt in range(args.tries):
        try:
            return ask(args, titles)
        except urllib.error.HTTPError as error:
            if error.code != 429 and error.code < 500:
                raise SystemExit(f"{args.url} refuses: {error.code} {error.read(500).decode(errors='replace')}") from error
            told, wait = f"{error.code} {error.reason}", error.headers.get("retry-after", "")
        except (OSError, ValueError, KeyError, IndexError, TypeError) as error:
            told, wait = str(error) or type(error).__name__, ""
        if attempt + 1 < args.tries:
            time.sleep(float(wait) if wait.isdigit() else args.wait * 2**attempt)
    raise RuntimeError(told)


def read(path):
    with open(path, encoding="utf-8") as lines:
        return [json.loads(line) for line in lines if line.strip()]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("histories", help="file that `ingle reader export` wrote")
    parser.add_argument("answers", help="file to add answers to")
    parser.add_argument("--url", required=True, help="address up to and with /v1")
    parser.add_argument("--model", required=True, help="the model's name there")
    parser.add_argument("--connections", type=int, default=4, help="requests at the same time [4]")
    parser.add_argument("--timeout", type=float, default=120, help="seconds of a request [120]")
    parser.add_argument("--tries", type=int, default=4, help="times that a history is asked about [4]")
    parser.add_argument("--wait", type=float, default=1, help="seconds before the second try, doubled for each further one [1]")
    args = parser.parse_args()

    answered = {line["user"] for line in read(args.answers)} if os.path.exists(args.answers) else set()
    histories = [history for history in read(args.histories) if history["user"] not in answered]
    print(f"{len(answered)} histories are answered, {len(histories)} to go", file=sys.stderr)
    failed = 0
    with open(args.answers, "a", encoding="utf-8") as out, ThreadPoolExecutor(args.connections) as pool:
        asked = {pool.submit(ask_with_patience, args, history["titles"]): history for history in histories}
        try:
            for done in as_completed(asked):
                history = asked[done]
                try:
                    noise = done.result()
                except RuntimeError as error:
                    failed += 1
                    print(f"user {history['user']}: {error}", file=sys.stderr)
                    continue
                print(json.dumps({"user": history["user"], "items": history["items"], "noise": noise}), file=out, flush=True)
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise
    if failed:
        sys.exit(f"{failed} histories have no answer: the same command asks for them again")


if __name__ == "__main__":
    main()
