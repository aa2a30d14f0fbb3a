/*
 * The loop over a batch: all of dragnet that has to be C.
 *
 * Flat arrays in, flat results out. Nothing here allocates, keeps state between calls, or knows
 * of threads.
 */
#include <stddef.h>
#include <stdint.h>

#include <hs.h>

#include "contract.h"

#if !defined(HS_MAJOR) || HS_MAJOR < 5 || (HS_MAJOR == 5 && HS_MINOR < 4)
#error "dragnet needs Hyperscan or Vectorscan 5.4 or later"
#endif

struct dragnet_match {
    uint32_t record;
    uint32_t pattern;
    uint32_t start;
    uint32_t end;
};

_Static_assert(sizeof(struct dragnet_match) == DRAGNET_MATCH_SIZE, "size of a match");
_Static_assert(_Alignof(struct dragnet_match) == DRAGNET_MATCH_ALIGN, "alignment of a match");
_Static_assert(offsetof(struct dragnet_match, record) == DRAGNET_MATCH_RECORD, "record");
_Static_assert(offsetof(struct dragnet_match, pattern) == DRAGNET_MATCH_PATTERN, "pattern");
_Static_assert(offsetof(struct dragnet_match, start) == DRAGNET_MATCH_START, "start");
_Static_assert(offsetof(struct dragnet_match, end) == DRAGNET_MATCH_END, "end");

_Static_assert(HS_FLAG_SINGLEMATCH == DRAGNET_HS_FLAG_SINGLEMATCH, "HS_FLAG_SINGLEMATCH");
_Static_assert(HS_MODE_BLOCK == DRAGNET_HS_MODE_BLOCK, "HS_MODE_BLOCK");
_Static_assert(HS_SUCCESS == DRAGNET_DONE, "HS_SUCCESS");
_Static_assert(HS_INVALID < 0 && HS_SCAN_TERMINATED < 0, "errors of libhs are negative");

/* What Rust declares by hand; see src/native/raw.rs. */
_Static_assert(sizeof(unsigned int) == sizeof(uint32_t), "pattern numbers are 32 bits wide");
_Static_assert(sizeof(hs_error_t) == sizeof(int32_t), "error codes are 32 bits wide");
_Static_assert(offsetof(hs_compile_error_t, message) == 0, "message");
_Static_assert(offsetof(hs_compile_error_t, expression) == sizeof(char *), "expression");

struct results {
    struct dragnet_match *matches;
    size_t capacity;
    size_t count;
    uint32_t record;
    int full;
};

static int HS_CDECL on_match(unsigned int pattern, unsigned long long from, unsigned long long to,
                             unsigned int flags, void *context) {
    struct results *results = context;
    (void)from;
    (void)to;
    (void)flags;
    if (results->count == results->capacity) {
        results->full = 1;
        return 1;
    }
    struct dragnet_match *match = &results->matches[results->count++];
    match->record = results->record;
    match->pattern = pattern;
    match->start = 0;
    match->end = 0;
    return 0;
}

static int raised(const uint8_t *stop) {
#if defined(__GNUC__) || defined(__clang__)
    return __atomic_load_n(stop, __ATOMIC_RELAXED) != 0;
#else
    return *(const volatile uint8_t *)stop != 0;
#endif
}

/* Scans one record with all databases. */
static int32_t scan_record(const hs_database_t *const *databases, size_t database_count,
                           hs_scratch_t *scratch, const uint8_t *start, uint32_t length,
                           struct results *results) {
    int32_t status = DRAGNET_DONE;
    for (size_t i = 0; i < database_count && status == DRAGNET_DONE; i++) {
        status = hs_scan(databases[i], (const char *)start, length, 0, scratch, on_match, results);
    }
    return status != DRAGNET_DONE && results->full ? DRAGNET_FULL : status;
}

/*
 * Finds which patterns of `databases` match in which records.
 *
 * Record `i` lies in `buffer` from `offsets[i]` up to `offsets[i + 1] - terminator`, and is
 * reported with the number `base + i`. DRAGNET_PADDING bytes behind each record are readable.
 * Scanning begins at record `*next` and ends before record `end`.
 *
 * Matches go to `matches`, ordered by record, in no order within one; `*count` is how many. A
 * record is reported with all its matches or not at all. On return `*next` is the first record
 * that is not reported: `end` with DRAGNET_DONE; with DRAGNET_FULL the one whose matches did not
 * fit; with DRAGNET_STOPPED the one before which `*stop` was found not to be zero; with an error
 * of libhs, the one in which it occurred.
 */
int32_t dragnet_hs_scan(const hs_database_t *const *databases, size_t database_count,
                        hs_scratch_t *scratch, const uint8_t *buffer, const uint32_t *offsets,
                        uint32_t terminator, uint32_t base, uint32_t *next, uint32_t end,
                        const uint8_t *stop, struct dragnet_match *matches, size_t capacity,
                        size_t *count) {
    struct results results = {matches, capacity, 0, 0, 0};
    int32_t status = DRAGNET_DONE;
    uint32_t record = *next;
    size_t complete = 0;

    for (; record < end; record++) {
        if (raised(stop)) {
            status = DRAGNET_STOPPED;
            break;
        }
        const uint32_t start = offsets[record];
        const uint32_t length = offsets[record + 1] - terminator - start;
        /* No pattern that comes here can match nothing. */
        if (length == 0) {
            continue;
        }
        results.record = base + record;
        status = scan_record(databases, database_count, scratch, buffer + start, length, &results);
        if (status != DRAGNET_DONE) {
            break;
        }
        complete = results.count;
    }
    *next = record;
    *count = complete;
    return status;
}

/*
 * The Rust function that takes matches: the `count` of the records from number `first` up to before
 * `end`, ordered by record, in no order within one. It may write to them until it returns.
 *
 * `handle` is an integer that Rust knows; what it stands for may be gone, which is no error here:
 * the function then has done nothing and ends the scan. It never unwinds.
 */
extern int32_t dragnet_on_block(uint64_t handle, uint32_t first, uint32_t end,
                                struct dragnet_match *matches, size_t count);

/*
 * As dragnet_hs_scan, with the same arguments up to `capacity`, but hands the matches on to
 * dragnet_on_block with `handle`: before a record for which there might not be room, if it can have
 * up to `most` matches, and at the end. Between two calls there are no records, and there is no
 * call for no records.
 *
 * On return `*next` is the first record that was not handed on: `end` with DRAGNET_DONE; with
 * DRAGNET_FULL one whose matches do not fit even alone; with DRAGNET_STOPPED and with an error of
 * libhs, the first of those that are given up with it. With DRAGNET_BROKEN the callback has ended
 * the scan.
 */
int32_t dragnet_hs_scan_blocks(const hs_database_t *const *databases, size_t database_count,
                               hs_scratch_t *scratch, const uint8_t *buffer,
                               const uint32_t *offsets, uint32_t terminator, uint32_t base,
                               uint32_t *next, uint32_t end, const uint8_t *stop,
                               struct dragnet_match *matches, size_t capacity, size_t most,
                               uint64_t handle) {
    struct results results = {matches, capacity, 0, 0, 0};
    int32_t status = DRAGNET_DONE;
    uint32_t record = *next;
    /* The first record that is not handed on. */
    uint32_t first = record;

    while (record < end) {
        if (raised(stop)) {
            status = DRAGNET_STOPPED;
            break;
        }
        const size_t complete = results.count;
        int full = complete > 0 && capacity - complete < most;
        if (!full) {
            const uint32_t start = offsets[record];
            const uint32_t length = offsets[record + 1] - terminator - start;
            results.record = base + record;
            /* No pattern that comes here can match nothing. */
            if (length > 0) {
                status = scan_record(databases, database_count, scratch, buffer + start, length,
                                     &results);
            }
            if (status == DRAGNET_DONE) {
                record++;
                continue;
            }
            /* It has more matches than it should. They may fit without those before. */
            if (status != DRAGNET_FULL || complete == 0) {
                break;
            }
        }
        if (dragnet_on_block(handle, base + first, base + record, matches, complete) !=
            DRAGNET_GO_ON) {
            status = DRAGNET_BROKEN;
            break;
        }
        first = record;
        results.count = 0;
        results.full = 0;
        status = DRAGNET_DONE;
    }
    if (status == DRAGNET_DONE && first < end) {
        if (dragnet_on_block(handle, base + first, base + end, matches, results.count) ==
            DRAGNET_GO_ON) {
            first = end;
        } else {
            status = DRAGNET_BROKEN;
        }
    }
    *next = first;
    return status;
}
