/*
 * Layouts and constants that C and Rust share. This file is their only definition.
 *
 * csrc/scan.c asserts that its own types and the constants of libhs's headers agree with it.
 * src/native/layout.rs reads this file at compile time and asserts the same of the Rust types. The
 * Rust side has no C preprocessor: each value must be a plain decimal number, on one line with its
 * #define.
 */
#ifndef DRAGNET_LAYOUT_H
#define DRAGNET_LAYOUT_H

/* struct dragnet_match and dragnet::Match: four 32-bit numbers. Size, alignment and offsets in
 * bytes. */
#define DRAGNET_MATCH_SIZE 16
#define DRAGNET_MATCH_ALIGN 4
#define DRAGNET_MATCH_RECORD 0
#define DRAGNET_MATCH_PATTERN 4
#define DRAGNET_MATCH_START 8
#define DRAGNET_MATCH_END 12

/* The start and end of a match without a span, UINT32_MAX. */
#define DRAGNET_NO_SPAN 4294967295

/* Return values of dragnet_hs_scan. Error codes of libhs are negative and returned unchanged. */
#define DRAGNET_DONE 0
#define DRAGNET_FULL 1
#define DRAGNET_STOPPED 2

/* Bytes that must be readable after the end of every record. libhs loads whole vectors, the widest
 * of which have 64 bytes, and may load past the end of a record (VectorCamp/vectorscan #381). */
#define DRAGNET_PADDING 64

/* Constants of libhs that Rust passes to it. */
#define DRAGNET_HS_FLAG_SINGLEMATCH 8
#define DRAGNET_HS_MODE_BLOCK 1

#endif
