"""CPU and memory of a forwarder that has all customers, with sharing beside one without.

Both run at the same time against the same stand-ins, so that the load of the machine and what is published are the same
for them. They are started again for each round; what counts is the median of the rounds' ratios.
"""
import statistics
import threading
import time

MORE = 1.1                      # with sharing, at most so many times as without
COMPARED = {'hf1': 'without', 'hf2': 'with'}
BEGIN_S = 120                   # before it is measured: 25 s until it reads, 15 s of first polls, a poll of each
EACH_S = 5


def usage(pid):
    """(CPU seconds, resident KiB, most so far) of a process."""
    with open(f'/proc/{pid}/schedstat', encoding='ascii') as file:
        seconds = int(file.read().split()[0]) / 1e9
    with open(f'/proc/{pid}/status', encoding='ascii') as file:
        facts = {line.partition(':')[0]: line.split()[1] for line in file if line.startswith('Vm')}
    return seconds, int(facts['VmRSS']), int(facts['VmHWM'])


class Measured:
    """A program in a round."""

    def __init__(self, forwarder):
        self.forwarder, self.samples, self.most = forwarder, [], 0
        self.born, self.cpu = self.look(), 0.0
        self.samples.clear()

    def look(self):
        """Takes a sample. Returns the CPU seconds so far."""
        seconds, resident, self.most = usage(self.forwarder.program.pid)
        self.samples.append(resident)
        return seconds

    def end(self):
        """The window is over."""
        self.cpu = self.look() - self.born

    memory = property(lambda self: statistics.median(self.samples))


def measure(soak, minutes):
    """A round: name -> Measured."""
    for forwarder in soak.world.forwarders.values():
        soak.start(forwarder)
    soak.sleep(BEGIN_S)
    found = {name: Measured(forwarder) for name, forwarder in soak.world.forwarders.items()}
    calls = len(soak.calls.get('hf2', ()))
    end = time.monotonic() + minutes * 60
    while time.monotonic() < end:
        time.sleep(EACH_S)
        for measured in found.values():
            measured.look()
    for name, measured in found.items():
        measured.end()
        print(f'{COMPARED[name]:8} sharing: {measured.cpu:.2f} s CPU in {minutes:g} minutes, {measured.born:.2f} s '
              f'before; {measured.memory / 1024:.1f} MiB, {measured.most / 1024:.1f} at most; '
              f'{measured.forwarder.program.descriptors()} descriptors', flush=True)
    print(f'{(len(soak.calls.get("hf2", ())) - calls) / minutes:.1f} calls a minute', flush=True)
    for forwarder in soak.world.forwarders.values():
        soak.end(forwarder, 'term')
    return found


def cost(soak):
    """All rounds; true if it costs no more than it may. A slow machine is slow for both."""
    args, ratios = soak.args, []
    for name in soak.world.feeds:
        soak.world.edit(name, on=['hf1'], share_url='')
    for thread in (soak.lag.thread, soak.strain.thread, threading.Thread(target=soak.publisher, daemon=True)):
        thread.start()
    for _ in range(args.rounds):
        found = measure(soak, args.minutes)
        ratios.append([found['hf2'].cpu / found['hf1'].cpu, found['hf2'].memory / found['hf1'].memory,
                       found['hf2'].most / found['hf1'].most])
        print(f'with sharing {ratios[-1][0]:.2f} times the CPU, {ratios[-1][1]:.2f} times the memory', flush=True)
    cpu, memory, most = (statistics.median(column) for column in zip(*ratios, strict=True))
    spread = [f'{min(column):.2f} to {max(column):.2f}' for column in zip(*ratios, strict=True)]
    print(f'{args.tenants} customers, {args.rate:g} alerts a second, {args.rounds} rounds of {args.minutes:g} minutes:')
    print(f'with sharing {cpu:.2f} times the CPU ({spread[0]}), {memory:.2f} times the memory ({spread[1]}), '
          f'{most:.2f} times the most of it ({spread[2]}); CPU and memory are to be at most {MORE}')
    print(f'seconds in which the machine was too slow: {soak.strain}')
    return max(cpu, memory) <= MORE
