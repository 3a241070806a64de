"""What a sweep on many nodes does to its folder: SweepQueue's rules, without the work.

    python3 Tests/Slurm/simulate.py

Prints for 10,000 and 100,000 runs on 100 nodes of four trainings each, one of them five times slower than the others,
how often files are made and looked for, how often and how much is listed, and how much longer all takes than a perfect
division.
"""
import heapq
import random


def simulate(runs, nodes, slots, seconds, heartbeat=30.0, seed=1):
    draw = random.Random(seed)
    duration = sorted((seconds * draw.lognormvariate(0, 0.7) for _ in range(runs)), reverse=True)
    speed = [0.2] + [draw.uniform(0.8, 1.2) for _ in range(nodes - 1)]
    count = dict(links=0, refused=0, looks=0, listings=0, names=0, changes=0)
    done, claimed = set(), set()
    left = list(range(runs))  # A superset of what has no record, thinned now and then.
    pending = [list(range(node, runs, nodes))[::-1] for node in range(nodes)]
    gained, misses = [True] * nodes, [0] * nodes
    late, active = [False] * nodes, [slots] * nodes
    busy = 0.0
    listed = [0.0] * nodes

    def take(node, now):
        nonlocal left
        while True:
            if not pending[node] or misses[node] >= 20 and now - listed[node] > 5:
                if not (gained[node] or not late[node]):
                    gained[node] = True
                    return None
                count["listings"] += 1
                count["names"] += len(done) + len(claimed)
                late[node], gained[node], misses[node], listed[node] = True, False, 0, now
                if len(left) > 2 * (runs - len(done)) + 100:
                    left = [run for run in left if run not in done]
                free = [run for run in left if run not in done and run not in claimed]
                held = [run for run in left if run not in done and run in claimed]
                mixed = []
                for start in range(0, len(free), 8 * nodes):
                    block = free[start : start + 8 * nodes]
                    draw.shuffle(block)
                    mixed += block
                pending[node] = (mixed + held)[::-1]
                if not pending[node]:
                    return None
            run = pending[node].pop()
            count["looks"] += 1
            if run in done:
                continue
            count["links"] += 1
            if run in claimed:
                count["refused"] += 1
                misses[node] += 1
                continue
            count["looks"] += 2  # Its record once more, and its failures.
            count["changes"] += 1
            gained[node], misses[node] = True, 0
            claimed.add(run)
            return run

    events = [(draw.uniform(0, 10), node, None) for node in range(nodes) for _ in range(slots)]
    heapq.heapify(events)
    end = 0.0
    while events:
        now, node, run = heapq.heappop(events)
        if run is not None:
            done.add(run)
            claimed.discard(run)
            count["changes"] += 4  # The record's temporary file and two renamings, and the claim.
            end = max(end, now)
        following = take(node, now)
        if following is not None:
            busy += duration[following]
            heapq.heappush(events, (now + duration[following] / speed[node], node, following))
    perfect = sum(duration) / (slots * sum(speed))
    beats = nodes / heartbeat
    print(
        f"{runs:7} runs of {seconds:5.0f} s: {end / 3600:6.2f} h, {100 * (end / perfect - 1):4.1f} % over a perfect division; "
        f"a second: {count['changes'] / end:5.1f} changes, {count['looks'] / end:5.1f} looks, {beats:.1f} heartbeats; "
        f"claims refused {count['refused']} ({count['refused'] / runs:.2f} a run); "
        f"listings {count['listings']} ({count['listings'] / nodes:.1f} a node), {count['names'] / 1e6:.1f} million names")


for runs in (10_000, 100_000):
    for seconds in (10, 600):
        simulate(runs, 100, 4, seconds)
