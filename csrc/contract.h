/*
 * What both sides of the boundary agree on, written down once.
 *
 * scan.c asserts that the C types and libhs's own header have these values; src/native/contract.rs
 * reads this very file while it is compiled and asserts the same of the Rust types. Each value is
 * a plain decimal number on a line of its own, because that is all the Rust side can read.
 */
#ifndef DRAGNET_CONTRACT_H
#define DRAGNET_CONTRACT_H

/* One match: four 32-bit numbers. */
#define DRAGNET_MATCH_SIZE 16
#define DRAGNET_MATCH_ALIGN 4
#define DRAGNET_MATCH_RECORD 0
#define DRAGNET_MATCH_PATTERN 4
#define DRAGNET_MATCH_START 8
#define DRAGNET_MATCH_END 12

/* What a scan returns. Errors of libhs are negative and are passed on as they are. */
#define DRAGNET_DONE 0
#define DRAGNET_FULL 1
#define DRAGNET_STOPPED 2
#define DRAGNET_BROKEN 3

/* What a callback returns for the scan to go on; anything else ends it. */
#define DRAGNET_GO_ON 0

/* How many bytes behind each record the caller promises to be readable. */
#define DRAGNET_PADDING 64

/* Values of libhs that the Rust side passes to it. */
#define DRAGNET_HS_FLAG_SINGLEMATCH 8
#define DRAGNET_HS_MODE_BLOCK 1

#endif
