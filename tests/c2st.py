#!/usr/bin/python3
"""c2st.py [--check | --telling] [A B ...]: tc-diff's c2st of each pair of captures, and what scikit-learn's classifiers say of the same
flows by the same features, cross-validated likewise: points of accuracy above 50 %. Without pairs, of the sample and
what distort.py makes of it. --check: fails where ours is further from
the best of theirs than two standard errors of an accuracy on so many flows, and than MARGIN points. --telling: by which features a forest tells B's flows from A's,
the most telling first: its share of the importance, and the feature's 10th, 50th and 90th percentile in A and in B."""
import json
import subprocess
import sys
import tempfile
import warnings

import numpy as np
from sklearn.ensemble import GradientBoostingClassifier, RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import PredefinedSplit, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import KBinsDiscretizer

MARGIN = 3

CLASSIFIERS = {
    "forest": RandomForestClassifier(n_estimators=200, random_state=1, n_jobs=1),
    "boosting": GradientBoostingClassifier(random_state=1),
    "logistic": make_pipeline(KBinsDiscretizer(16, strategy="quantile"), LogisticRegression(max_iter=300)),
}


def features(path):
    """The sample's rows, in the order in which tc-diff takes them."""
    text = subprocess.run(["build/tests/features", path], check=True, capture_output=True, text=True).stdout
    return np.array([line.split("\t")[2:] for line in text.splitlines()[1:]], dtype=np.int64)


def folds_of(x, n):
    """Flows that are alike go to the folds in turn, those of both classes from the same one on: else a flow that stands in both
    traces is learned as one class's and asked about as the other's, and hides what is different."""
    random, begin, seen, folds = np.random.RandomState(1), {}, {}, []
    for i, row in enumerate(map(bytes, x)):
        first = begin.setdefault(row, random.randint(5))
        k = seen[row, i < n] = seen.get((row, i < n), -1) + 1
        folds.append((first + k) % 5)
    return folds


def by_sklearn(a, b):
    n = min(len(a), len(b))
    x, y = np.concatenate([a[:n], b[:n]]), np.repeat([0, 1], n)
    x = x[:, x.min(axis=0) < x.max(axis=0)]
    if n < 5 or not x.shape[1]:
        return {name: 0 for name in CLASSIFIERS}
    folds = PredefinedSplit(folds_of(x, n))
    return {name: 100 * max(0, cross_val_score(c, x, y, cv=folds).mean() - .5) for name, c in CLASSIFIERS.items()}


def print_telling(a, b):
    names = subprocess.run(["build/tests/features", a], check=True, capture_output=True, text=True).stdout.split("\n")[0].split("\t")[2:]
    rows = [features(a), features(b)]
    n = min(map(len, rows))
    rows = [r[:n] for r in rows]
    forest = CLASSIFIERS["forest"].fit(np.concatenate(rows), np.repeat([0, 1], n))
    for i in np.argsort(-forest.feature_importances_)[:12]:
        print(f"{names[i]:20s} {forest.feature_importances_[i]:.3f}", *(np.percentile(r[:, i], [10, 50, 90]).astype(int) for r in rows))


def by_us(a, b):
    run = subprocess.run(["bin/tc-diff", "-q", "--json", a, b], capture_output=True, text=True)
    return json.loads(run.stdout)["metrics"]["c2st"]


def from_sample(folder):
    """The sample against what distort.py makes of it."""
    sample, pairs = "tests/fixtures/sample.pcap", []
    for d in "drop", "shuffle", "split", "jitter", "data":
        subprocess.run(["/usr/bin/python3", "tests/distort.py", d, sample, f"{folder}/{d}.pcap"], check=True, stderr=subprocess.DEVNULL)
        pairs += [sample, f"{folder}/{d}.pcap"]
    return pairs


def main():
    warnings.simplefilter("ignore")
    check, telling = (sys.argv[1:2] == [o] for o in ("--check", "--telling"))
    folder = tempfile.TemporaryDirectory()
    paths = sys.argv[1 + (check or telling):] or from_sample(folder.name)
    if telling:
        for a, b in zip(paths[::2], paths[1::2]):
            print_telling(a, b)
        return
    print("flows\tours\tfloor\t" + "\t".join(CLASSIFIERS) + "\tA\tB")
    wrong = 0
    for a, b in zip(paths[::2], paths[1::2]):
        rows = [features(a), features(b)]
        ours, theirs = by_us(a, b), by_sklearn(*rows)
        n = min(map(len, rows))
        wrong += abs(max(theirs.values()) - ours["value"]) > max(MARGIN, 2 * 50 / (2 * n) ** .5)
        floor = "n/a" if ours["floor"] is None else "%.1f" % ours["floor"]
        print(f"{n}\t{ours['value']:.1f}\t{floor}\t" + "\t".join("%.1f" % v for v in theirs.values()) +
              f"\t{a.split('/')[-1][-40:]}\t{b.split('/')[-1][-40:]}", flush=True)
    if check and wrong:
        sys.exit(f"{wrong} pairs are too far apart")


if __name__ == "__main__":
    main()
