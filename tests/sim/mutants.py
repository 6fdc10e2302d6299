#!/usr/bin/python3
"""Breaks the program in known ways, one at a time, and sees whether the simulator finds each of them.

usage: tests/sim/mutants.py [--seconds S] [--jobs N] [--seed N] [NAME ...]

A mutant is one change of one source file. The file is compiled by itself and linked with the objects of the simulator,
so no source is changed. A mutant whose text is not found any more fails: the source has changed, and the row has to.
The last line is "N passed, N failed"; a mutant that no seed finds has failed.
"""
import argparse
import concurrent.futures
import os
import re
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
OUT = 'build/simulate'

# name, file, old text, new text, or several of both; perhaps words that change its worlds
MUTANTS = [
    ('cursor_before_events', 'collect/worker_answer.c',
     'outbox_end(feed->env->outbox), now_ms);\n'
     '    pages_forget',
     '0, now_ms);\n'
     '    pages_forget'),
    ('cursor_at_pipe', 'collect/collector.c',
     'settled = outbox_settled(col->env.outbox, now_ms);',
     'settled = outbox_end(col->env.outbox);'),
    ('settled_at_once', 'splunk/events.c',
     'at_ms <= now_ms - OUTBOX_SETTLED_S * 1000',
     'at_ms <= now_ms'),
    ('crash_of_splunkd_ignored', 'collect/last_save.c',
     'bool crashed = !loop_signaled() &&',
     'bool crashed = false && !loop_signaled() &&'),
    ('stop_saves_unread', 'splunk/events.c',
     'box->written - (uint64_t)unread : 0',
     'box->written : 0'),
    ('stop_saves_nothing', 'collect/last_save.c',
     '        save_one(store, save->tenants[i], taken, sync_until_ms);',
     '        ;'),
    ('no_saves', 'collect/saver.c',
     '    saver_save(saver, settled, STORE_SYNCED);',
     '    ;'),
    ('saves_not_synced', 'base/file.c',
     '(sync && fdatasync(fd))',
     '(sync && 0)'),
    ('dedup_pruned_too_soon', 'state/cursor.c',
     'ticks below = ticks_back(lower, CURSOR_COARSE_S);',
     'ticks below = ticks_ahead(lower, 30);'),
    ('dedup_not_saved', 'state/checkpoint.c',
     '        read_entry(cJSON_GetStringValue(item), &entry);\n'
     '        dedup_add(dedup, entry);',
     '        read_entry(cJSON_GetStringValue(item), &entry);'),
    ('overlap_ignored', 'state/cursor.c',
     'return ticks_max(ticks_back(cursor->watermark, overlap_s), cursor->dedup_floor);',
     '(void)overlap_s;\n'
     '    return ticks_max(cursor->watermark, cursor->dedup_floor);'),
    ('each_probe_has_the_future', 'collect/worker_request.c',
     'leaves_future ? now : TICKS_OPEN',
     'TICKS_OPEN',
     'about=records'),
    ('future_hides', 'state/windows.c',
     'ticks seen = ticks_min(stats->newest, now);',
     'ticks seen = stats->newest;'),
    ('window_skipped', 'state/windows.c',
     '        plan->next = window->hi;\n'
     '        return false;',
     '        plan->next = window->hi + plan->width;\n'
     '        return false;'),
    ('plan_watermark', 'state/windows.c',
     '        seen = ticks_min(seen, plan->since);',
     '        ;'),
    ('order_believed', 'state/keyset.c',
     'return counted == (int64_t)keyset->seen;',
     'return counted != -2;'),
    ('backfill_half', 'state/cursor.c',
     'cursor->backfill.next = next;',
     'cursor->backfill.next = next + 36000000000;'),
    ('partial_is_whole', 'microsoft/page.c',
     '    if (p->found.has_error)\n'
     '        return error_said(p, err);',
     '    if (p->found.has_error && 0)\n'
     '        return error_said(p, err);'),
    ('failure_is_read', 'collect/classify.c',
     'if (page_end(facts->page, &ret.err))',
     'if (page_end(facts->page, &ret.err) || 1)'),
    ('hint_ignored', 'base/backoff.c',
     'if (asked_ms <= 0)',
     'if (asked_ms <= 1000000)'),
    ('rate_not_taken', 'pacing/rate.c',
     '    rate_leave(rate, waiter);\n'
     '    rate->minute -= 1;',
     '    rate_leave(rate, waiter);'),
    ('hour_not_taken', 'pacing/rate.c',
     '    rate->hour -= 1;\n'
     '    rate->polls',
     '    rate->polls'),
    ('no_backoff', 'collect/worker_retry.c',
     'next.wait_ms = backoff_wait_ms(pause_number(reading, may_be_size), err->wait_ms, random_below(UINT32_MAX));',
     'next.wait_ms = 0;'),
    ('token_used_before_stored', 'auth/token_source_next.c',
     'case ON_ROTATED: return (struct source_next){ SOURCE_STORING, DO_STORE };',
     'case ON_ROTATED: return (struct source_next){ SOURCE_IDLE, DO_USE };'),
    ('refused_for_good', 'base/backoff.c',
     'return doubled(BACKOFF_REFUSED_MS, BACKOFF_REFUSED_MAX_MS, refusals);',
     'return doubled(BACKOFF_REFUSED_MS, 100 * BACKOFF_REFUSED_MAX_MS, refusals + 4);',
     'fault:refused=1'),
    ('silent_connection_kept', 'net/http_again.c',
     '    pool_retire(req->attempt.pool, req->attempt.generation);\n'
     '    curl_easy_setopt',
     '    curl_easy_setopt'),
    ('no_look_at_connections', 'net/http_pool.c',
     'if (now_ms - sent_ms < POOL_SILENT_MS)',
     'if (1)'),
    ('paused_forever', 'collect/output.c',
     '    http_resume_all(output->http);',
     '    ;'),
    ('slot_leak', 'collect/worker.c',
     '    worker->port->release(worker);\n'
     '    worker->state = WORKER_IDLE;',
     '    if (next->kind != NEXT_REFUSED)\n'
     '        worker->port->release(worker);\n'
     '    worker->state = WORKER_IDLE;'),
    ('quarantine_forgotten', 'state/progress.c',
     '    quarantine_add(&progress->quarantine, &isolated, now / TICKS_PER_SECOND);',
     '    (void)isolated;'),
    ('quarantine_not_kept_in_set', 'state/progress.c',
     ' ||\n'
     '           quarantine_reaches(pruning->quarantine, entry->time);',
     ';'),
    ('no_quarantine', 'collect/worker_isolate.c',
     '    if (has_evidence(reading, now_ms))\n'
     '        return worker_isolate(reading, now_ms);\n'
     '    suspicion->state = SUSPICION_PROBE;\n'
     '    pages_forget(&reading->pages);\n'
     '    return (struct next){ .kind = NEXT_NOW };',
     '    (void)has_evidence;\n'
     '    (void)worker_isolate;\n'
     '    return worker_retry_failed(reading, err, may_be_size);',
     'about=records'),
    ('vanished_unnoticed', 'state/store_file.c',
     '    for (claim = store->claims; claim; claim = claim->next)\n'
     '        look_at_claim(claim);',
     '    (void)claim;',
     'fault:folder_wiped=1'),
    ('writes_without_store', 'collect/records.c',
     'answer->held_back = !feed->owner->writable(feed->ctx, &err);',
     'answer->held_back = false && !feed->owner->writable(feed->ctx, &err);'),
    ('spins', 'net/loop.c',
     'return wait > 0 ? (int)wait : 0;',
     'return wait > 50 ? 0 : wait > 0 ? (int)wait : 0;'),
    ('poll_late', 'collect/poll_due.c',
     '    due_ms = clock_next_turn(least_ms - 1, interval_ms, feed->number, POLL_SLOTS);',
     '    return clock_next_turn(least_ms - 1, interval_ms, feed->number, POLL_SLOTS) + 3 * interval_ms / 2;'),
    ('poll_too_often', 'collect/poll_due.c',
     '    due_ms = clock_next_turn(least_ms - 1, interval_ms, feed->number, POLL_SLOTS);',
     '    return now_ms + 1;'),

    # Bugs that the simulator has found.
    ('backfill_to_false_present', 'collect/worker_retry.c',
     'reading->timeless ? reading_limit(reading) : reading_present',
     'reading_present',
     'customers=6 alerts=60 minutes=150 poll=60 only=wrong_date,clock_jump,stop fault:wrong_date=0.3 '
     'fault:clock_jump=1 fault:stop=6'),
    ('ahead_as_soon_as_behind', 'collect/service_clock.c',
     ['#define SAME_MS INT64_C(5000)', '#define DOUBTS_AHEAD  3'],
     ['#define SAME_MS NEAR_MS', '#define DOUBTS_AHEAD  1'],
     'customers=6 alerts=60 minutes=150 poll=60 only=wrong_date,clock_jump,stop fault:wrong_date=0.3 '
     'fault:clock_jump=1 fault:stop=6'),
    ('doubtful_clock_moves', 'collect/worker_request.c',
     'reading->timeless = date_ms && !feed->clock.known;',
     'reading->timeless = false;',
     'about=clocks'),
    ('one_date_decides', 'collect/opening.c',
     ('    if (ahead && !opening->opinions)\n        return true;\n', '#define OPINIONS_MOST 8',
      'ahead = ahead && feed->clock.known; /* the'),
     ('', '#define OPINIONS_MOST 1', '/* the'),
     'about=clocks'),
    ('first_date_believed', 'collect/service_clock.c',
     'return clock->doubts >= doubts &&',
     'return !clock->known || clock->doubts >= doubts &&',
     'customers=6 alerts=60 minutes=300 poll=60 only=wrong_date,clock_jump,stop fault:wrong_date=0.3 '
     'fault:clock_jump=4 fault:stop=8'),
    ('probe_waits_for_its_window', 'collect/worker.c',
     'if (worker->reading.suspicion.state == SUSPICION_PROBE)',
     'if (false)',
     'about=clocks only=wrong_date,poison,clock_jump,stop customers=4 alerts=40 minutes=660 poll=300 '
     'fault:poison=4 fault:clock_jump=1.5 fault:stop=2'),
    ('quarantine_passes_clock', 'state/progress.c',
     'ticks_min(progress->looked, now));',
     'progress->looked);',
     'about=clocks customers=2 alerts=20'),
    ('repeated_in_hold', 'pacing/rate.c',
     'if (now_ms < rate->hold_until_ms)\n        return false;',
     ''),
    ('unsynced_replaces', 'base/file.c',
     'if (kept && !synced)',
     'if (kept && 0)',
     'about=ends'),

    ('count_of_page_believed', 'collect/worker_answer.c',
     '    if (pages == PAGES_OVERFULL)\n'
     '        order_overfull(reading, now_ms);\n',
     ''),
    ('past_after_future', 'state/windows.c',
     '!plan->active && stats->oldest >= now;',
     'false && !plan->active && stats->oldest >= now;'),
    ('old_one_kept', 'collect/tenant.c',
     '    if (t->claim.unsynced)',
     '    if (0)',
     'about=ends customers=6 alerts=30 minutes=700 poll=300 saves=2000'),
    ('set_aside_in_two_steps', 'base/file.c',
     '    unlink(aside);\n'
     '    if (kept && !link(path, aside) && !rename(kept, path))\n'
     '        return true;',
     '    if (kept && !rename(path, aside))\n'
     '        return !rename(kept, path) || true;',
     'about=ends'),
    ('count_of_sent_believed', 'collect/order.c',
     'keyset_is_counted(keyset, counted) && (!sent || keyset_counts_beyond(keyset))',
     'keyset_is_counted(keyset, counted)',
     'customers=20 alerts=100 poll=300 only=outage fault:outage=3'),
    ('cut_window_again', 'state/windows.c',
     'window->hi == TICKS_OPEN || (worker == WORKER_LIVE',
     'window->hi == TICKS_OPEN || (false && worker == WORKER_LIVE'),
    ('sent_by_host_clock', 'collect/worker_request.c',
     'else if (feed->clock.known)',
     'else if (false)',
     'customers=6 alerts=60 minutes=300 poll=60 only=wrong_date,clock_jump,stop,poison fault:wrong_date=0.3 '
     'fault:clock_jump=4 fault:stop=8 fault:poison=2'),
    ('refused_call_unnoticed', 'splunk/rest_call.c',
     '    if (result->status == 401 && call->rest->refused)\n'
     '        call->rest->refused(call->rest->refused_ctx);\n',
     ''),

    ('full_page_believed', 'collect/pages.c',
     'return pages_has_all_asked(page) ? PAGES_LARGER : PAGES_COMPLETE;',
     'return PAGES_COMPLETE;',
     'customers=4 poll=60 only=unfiltered,no_link,http_500,outage '
     'fault:unfiltered=2 fault:http_500=0.3 fault:outage=1'),

    ('forgotten_is_new', 'collect/records.c',
     'if (!in_part && is_forgotten(reading, record))',
     'if (false && !in_part && is_forgotten(reading, record))',
     'customers=2 alerts=20 minutes=400 poll=60 only=http_400,refused,poison,bad_record,http_500 fault:http_400=0.3 '
     'fault:poison=2 fault:bad_record=1'),

    ('split_clears_suspicion', 'collect/worker_answer.c',
     '{ /* one of its parts may be the suspect */\n',
     '{\n        reading->suspicion.state = SUSPICION_NONE;\n',
     'about=clocks'),

    # Later faults and properties.
    ('kvstore_at_once', 'collect/state_writer.c',
     'call_at(writer, clock_ms() + wait_ms);',
     'call_at(writer, clock_ms());'),
    ('kvstore_given_up', 'collect/state_writer.c',
     '    if (!call_ended(writer, answer))\n'
     '        return;\n'
     '    cJSON_ArrayForEach',
     '    if (!call_ended(writer, answer)) {\n'
     '        timer_cancel(writer->spec.loop, &writer->call_timer);\n'
     '        return;\n'
     '    }\n'
     '    cJSON_ArrayForEach'),
    ('kvstore_small_for_good', 'collect/state_writer.c',
     'writer->batch_most == KVSTORE_BATCH_MOST || writer->called_ms < writer->larger_ms',
     'writer->batch_most',
     'customers=55 alerts=5 minutes=1500 poll=3600 overlap=60 only=kv_refuses fault:kv_refuses=6'),
    ('kvstore_not_pruned', 'collect/state_prune.c',
     '    if (!prune->busy)\n'
     '        next(prune);',
     '    (void)prune;'),
    ('parts_not_joined', 'state/progress.c',
     '        quarantine_join(&progress->quarantine, resolution);',
     '        ;',
     'customers=3 poll=60 only=unfiltered,http_400,http_500,reset,cut,html fault:unfiltered=2 fault:http_400=0.1 '
     'fault:http_500=0.1 fault:html=0.1 fault:reset=0.1 fault:cut=0.1'),
    ('plan_of_parts', 'state/progress.c',
     '        plan->resolution = ticks_max(plan->resolution, resolution);',
     '        ;',
     'customers=3 poll=60 only=unfiltered,http_400,http_500,reset,cut,html fault:unfiltered=2 fault:http_400=0.1 '
     'fault:http_500=0.1 fault:html=0.1 fault:reset=0.1 fault:cut=0.1'),
    ('count_too_high_believed', 'collect/worker_answer.c',
     '    if (only_counted)\n',
     '    if (false && only_counted)\n',
     'only=miscount fault:miscount=2'),
    ('doubt_reaches_further', 'state/quarantine.c',
     ('ticks second = time - time % TICKS_PER_SECOND;', '< ticks_ahead(second, CURSOR_COARSE_S + 1);'),
     ('ticks second = time;', '<= ticks_ahead(second, CURSOR_COARSE_S);'),
     'customers=2 alerts=600 poll=60 only=unfiltered,http_500,reset,html fault:unfiltered=8 fault:http_500=0.1 '
     'fault:html=0.1 fault:reset=0.1'),
    ('session_loss_ignored', 'auth/secret_watch.c',
     '    watch->owner.session_over(watch->owner.ctx);',
     '    ;'),
    ('page_not_freed', 'collect/worker.c',
     '    page_free(worker->page);\n',
     ''),
    # In a month of audits.
    ('audit_repairs_nothing', 'collect/audit.c',
     '.repairs = true,',
     '.repairs = false,',
     'month=4 customers=20'),
    ('audit_forgets_a_day', 'collect/audit.c',
     '    for (before = 1; before <= LEDGER_KEPT_DAYS && before < audit->night; before++) {',
     '    for (before = 2; before <= LEDGER_KEPT_DAYS && before < audit->night; before++) {',
     'month=4 customers=20'),
    ('ledger_before_events', 'collect/saver.c',
     'ledger_prepare(ledger, saver->saving_pos, feed_service_now(saver->feed));',
     'ledger_prepare(ledger, UINT64_MAX >> 17, feed_service_now(saver->feed));',
     'month=8 customers=20 fault:kill=1'),
]


def run(*command, **options):
    return subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True, **options).stdout


def words(name):
    """A list of the Makefile."""
    return run('make', '-s', 'simulate-list', f'LIST={name}').split()


class Builder:
    """Compiles and links mutants as the Makefile does."""

    def __init__(self):
        run('make', '-s', 'simulate-build')
        self.compile, self.link, self.libraries = words('COMPILE'), words('LINK'), words('LIBS')
        self.wrapped = [f'-Wl,--wrap={name}' for name in words('SIM_WRAPPED')]
        self.objects = words('SIM_PROGRAM') + words('SIM_OBJECTS')
        with open(os.path.join(ROOT, 'VERSION'), encoding='utf-8') as file:
            self.version = file.read().strip()

    def build(self, name, source, old, new, _plan=''):
        """Returns the path of the mutant's simulator; None: its text was not found once."""
        with open(os.path.join(ROOT, 'src', source), encoding='utf-8') as file:
            text = file.read()
        changes = [(old, new)] if isinstance(old, str) else list(zip(old, new))
        if any(text.count(before) != 1 for before, _ in changes):
            return None
        folder = os.path.join(ROOT, OUT, 'mutants', name)
        os.makedirs(folder, exist_ok=True)
        changed, made = os.path.join(folder, os.path.basename(source)), os.path.join(folder, 'sim')
        with open(changed, 'w', encoding='utf-8') as file:
            for before, after in changes:
                text = text.replace(before, after)
            file.write(text)
        run(*self.compile, '-Wno-error', '-w', f'-DVERSION="{self.version}"', '-c', '-o', changed + '.o', changed)
        own = {f'{OUT}/{source[:-2]}.o', f'{OUT}/sim/counted/{source[:-2]}.o'}
        objects = [changed + '.o' if name in own else name for name in self.objects]
        run(*self.link, '-fno-lto', *self.wrapped, '--coverage', '-o', made, *objects, *self.libraries)
        return made


def live(simulator, *words):
    """Runs worlds. Returns the property that the last one broke and its seed, or None twice, and the seconds of CPU."""
    with subprocess.Popen([simulator, *words], cwd=ROOT, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          errors='replace', env={**os.environ, 'GCOV_PREFIX': simulator + '.counts'}) as process:
        said = process.stdout.read()  # what it reaches does not count
        _, process.returncode, usage = os.wait4(process.pid, 0)
    found, seed = re.search(r'^FAILED property=(\w+)', said, re.M), re.search(r'SEED=(\d+)', said)
    return found and found.group(1), seed and int(seed.group(1)), usage.ru_utime + usage.ru_stime


def hunt(builder, mutant, seconds, seed):
    """Returns whether the mutant was found, and a line about it. A world in which the program as it is breaks the same
    property shows nothing, and the next one is tried."""
    made, took, breaks = builder.build(*mutant), 0.0, ''
    if not made:
        return False, f'{mutant[0]:28} its text is not in src/{mutant[1]} exactly once'
    plan = mutant[4].split() if len(mutant) > 4 else []
    while took < seconds:
        left = str(max(1, round(seconds - took)))
        breaks, found, spent = live(made, '--first', '--cpu', left, '--seed', str(seed), *plan)
        took += spent
        if not breaks or live(os.path.join(ROOT, OUT, 'tests/sim'), '--seed', str(found), *plan)[0] != breaks:
            break
        seed, breaks = found + 1, ''
    if not breaks:
        return False, f'{mutant[0]:28} SURVIVED {took:30.0f} s'
    return True, f'{mutant[0]:28} {breaks:16} {found:>14} {took:6.1f} s'


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--seconds', type=int, default=60, help='of CPU time, for each mutant')
    parser.add_argument('--jobs', type=int, default=2)
    parser.add_argument('--seed', type=int, default=1, help='the first that is tried')
    parser.add_argument('names', nargs='*')
    args = parser.parse_args()
    builder, passed, failed = Builder(), 0, 0
    chosen = [mutant for mutant in MUTANTS if not args.names or mutant[0] in args.names]
    print(f'{"mutant":28} {"breaks":16} {"seed":>14} {"CPU":>8}')
    with concurrent.futures.ThreadPoolExecutor(args.jobs) as pool:
        for ok, line in pool.map(lambda mutant: hunt(builder, mutant, args.seconds, args.seed), chosen):
            print(line, flush=True)
            passed, failed = passed + ok, failed + (not ok)
    print(f'{passed} passed, {failed} failed')
    return failed != 0


if __name__ == '__main__':
    sys.exit(main())
