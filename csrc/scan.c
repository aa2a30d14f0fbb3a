/*
 * Scans the records of a batch with libhs.
 *
 * libhs scans one record per call and reports each match through a callback. Both the loop over
 * the records and the callback are written in C, so that Rust calls C once for thousands of records
 * and C never calls Rust. Everything else is Rust.
 *
 * The functions read flat arrays and write into a flat array. They allocate nothing, keep no state
 * between calls and start no threads, so any number of threads may call them at the same time, each
 * with a scratch space of its own.
 */
#include <stddef.h>
#include <stdint.h>

#include <hs.h>

#include "layout.h"

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
_Static_assert(HS_INVALID < 0 && HS_SCAN_TERMINATED < 0, "error codes of libhs are negative");

/* src/native/raw.rs declares libhs's functions and types by hand, with these sizes. */
_Static_assert(sizeof(unsigned int) == sizeof(uint32_t), "pattern indexes have 32 bits");
_Static_assert(sizeof(hs_error_t) == sizeof(int32_t), "error codes have 32 bits");
_Static_assert(offsetof(hs_compile_error_t, message) == 0, "message");
_Static_assert(offsetof(hs_compile_error_t, expression) == sizeof(char *), "expression");

/* The context of on_match: the caller's buffer, and the record that is being scanned. */
struct results {
    struct dragnet_match *matches;
    size_t capacity;
    size_t count;
    uint32_t record;
    int full;
};

/* Called by libhs for each match. A return value other than 0 ends the scan of the record. */
static int HS_CDECL on_match(unsigned int pattern, unsigned long long from, unsigned long long to,
                             unsigned int flags, void *context) {
    struct results *results = context;
    /* libhs reports where matches end, but not which of them are leftmost-first. Rust searches the
     * record again if spans are asked for. */
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
    match->start = DRAGNET_NO_SPAN;
    match->end = DRAGNET_NO_SPAN;
    return 0;
}

/* Whether another thread has set the flag: a relaxed atomic load. */
static int raised(const uint8_t *stop) {
#if defined(__GNUC__) || defined(__clang__)
    return __atomic_load_n(stop, __ATOMIC_RELAXED) != 0;
#else
    /* MSVC has no such builtin, and compiles a volatile load of a byte to one load. */
    return *(const volatile uint8_t *)stop != 0;
#endif
}

/* Scans one record with each database in turn. */
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
 * Record `i` lies in `buffer` from `offsets[i]` up to `offsets[i + 1] - terminator`. After the end
 * of each record DRAGNET_PADDING bytes are readable. The scan starts at record `*next` and ends
 * before record `end`.
 *
 * Matches are written to `matches`, which has room for `capacity` of them; `*count` is set to their
 * number. The matches of record `i` carry the number `base + i`. They are ordered by record, and in
 * no particular order within a record. A record is reported with all of its matches or not at all.
 *
 * The scan stops with DRAGNET_FULL before a record if there is room for fewer than `reserve`
 * matches. If `reserve` is the most that one record can have, no record is ever scanned twice. If a
 * record has more matches and they do not fit, the scan stops with DRAGNET_FULL as well and drops
 * the matches of that record.
 *
 * On return `*next` is the first record that is not reported: `end` with DRAGNET_DONE; with
 * DRAGNET_FULL the record that there was no room for; with DRAGNET_STOPPED the record before which
 * `*stop` was not zero; with an error code of libhs the record that it failed on.
 */
int32_t dragnet_hs_scan(const hs_database_t *const *databases, size_t database_count,
                        hs_scratch_t *scratch, const uint8_t *buffer, const uint32_t *offsets,
                        uint32_t terminator, uint32_t base, uint32_t *next, uint32_t end,
                        const uint8_t *stop, struct dragnet_match *matches, size_t capacity,
                        size_t reserve, size_t *count) {
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
        /* src/native/translate.rs admits no pattern that matches the empty string. */
        if (length == 0) {
            continue;
        }
        if (capacity - complete < reserve) {
            status = DRAGNET_FULL;
            break;
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
