"""The offline rate: the default model over papers as fast as it goes, until told to stop.

python benches/serve/offline.py BODIES.jsonl SECONDS DTYPE
"""

import json
import sys
import time
from pathlib import Path

from arxiv_core import Classifier

bodies, seconds, dtype = sys.argv[1:]
papers = [json.loads(line) for line in Path(bodies).read_text(encoding="utf-8").splitlines()]
classifier = Classifier.load(dtype=dtype)
classifier.classify(papers[:64])
done, began = 0, time.perf_counter()
while time.perf_counter() - began < float(seconds):
    classifier.classify(papers)
    done += len(papers)
print(json.dumps({"per_second": done / (time.perf_counter() - began)}))
