"""The service that one would write otherwise: FastAPI, sentence-transformers and scikit-learn.

    python benches/serve/peer.py MODEL_DIR HEAD.npz PORT

It is written well: requests that come while the encoder is busy share its next batch (at most 32,
as sentence-transformers' own batches), the encoder runs on a thread of its own, and the fitted
logistic regressions of scikit-learn are applied as one matrix, as their own `predict_proba` would
not. It reads as many tokens as ours.
"""

import asyncio
import contextlib
import sys
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import uvicorn
from fastapi import FastAPI
from pydantic import BaseModel
from sentence_transformers import SentenceTransformer

BATCH = 32
WAIT = 0.002

model_dir, head_file, port = sys.argv[1:]
model = SentenceTransformer(model_dir, device="cpu", local_files_only=True)
model.max_seq_length = 512
head = np.load(head_file)
pool = ThreadPoolExecutor(1)
waiting: asyncio.Queue[tuple[str, asyncio.Future[np.ndarray]]] = asyncio.Queue()


class Paper(BaseModel):
    title: str
    abstract: str


def score(texts: list[str]) -> np.ndarray:
    """Probabilities [texts, labels]."""
    embeddings = model.encode(texts, batch_size=BATCH, show_progress_bar=False)
    return 1 / (1 + np.exp(-(embeddings @ head["coef"].T + head["intercept"])))


async def batches() -> None:
    """Run what waits, again and again."""
    loop = asyncio.get_running_loop()
    while True:
        taken = [await waiting.get()]
        until = loop.time() + WAIT
        while len(taken) < BATCH:
            try:
                taken.append(waiting.get_nowait())
            except asyncio.QueueEmpty:
                if loop.time() >= until:
                    break
                await asyncio.sleep(0.0005)
        rows = await loop.run_in_executor(pool, score, [text for text, _ in taken])
        for (_, future), row in zip(taken, rows, strict=True):
            if not future.done():
                future.set_result(row)


@contextlib.asynccontextmanager
async def lifespan(_: FastAPI) -> AsyncIterator[None]:
    task = asyncio.create_task(batches())
    yield
    task.cancel()


app = FastAPI(lifespan=lifespan)


@app.get("/ready")
async def ready() -> dict[str, str]:
    return {"status": "ready"}


@app.post("/classify")
async def classify(paper: Paper) -> list[dict[str, float | str]]:
    future: asyncio.Future[np.ndarray] = asyncio.get_running_loop().create_future()
    await waiting.put((f"{paper.title}\n{paper.abstract}", future))
    row = await future
    best = np.argsort(-row)[:5]
    return [{"category": str(head["labels"][at]), "probability": float(row[at])} for at in best]


if __name__ == "__main__":
    uvicorn.run(app, host="127.0.0.1", port=int(port), log_level="warning")
