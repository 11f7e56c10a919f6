#pragma once

#include <stddef.h>
#include <stdint.h>

// The decompression libraries that libcurl links. Their headers need development packages that nothing else needs, so their
// functions are looked up with dlsym, and this file declares the types. The interfaces of all three libraries are stable; zlib
// checks the size of its structure.

/// zlib's z_stream.
typedef struct {
    const uint8_t *next_in;
    unsigned int avail_in;
    unsigned long total_in;
    uint8_t *next_out;
    unsigned int avail_out;
    unsigned long total_out;
    const char *message;
    void *state;
    void *allocate;
    void *release;
    void *opaque;
    int data_type;
    unsigned long adler;
    unsigned long reserved;
} carillon_zlib_stream;

typedef const char *(*carillon_zlib_version)(void);
typedef int (*carillon_zlib_begin)(carillon_zlib_stream *stream, int window_bits, const char *version, int size);
typedef int (*carillon_zlib_step)(carillon_zlib_stream *stream, int flush);
typedef int (*carillon_zlib_end)(carillon_zlib_stream *stream);

typedef void *(*carillon_brotli_begin)(void *allocate, void *release, void *opaque);
typedef int (*carillon_brotli_step)(
    void *state, size_t *available_in, const uint8_t **next_in, size_t *available_out, uint8_t **next_out, size_t *total
);
typedef void (*carillon_brotli_end)(void *state);

/// ZSTD_inBuffer and ZSTD_outBuffer.
typedef struct {
    const void *bytes;
    size_t size;
    size_t position;
} carillon_zstd_input;
typedef struct {
    void *bytes;
    size_t size;
    size_t position;
} carillon_zstd_output;

typedef void *(*carillon_zstd_begin)(void);
typedef size_t (*carillon_zstd_set)(void *stream, int parameter, int value);
typedef size_t (*carillon_zstd_step)(void *stream, carillon_zstd_output *output, carillon_zstd_input *input);
typedef unsigned int (*carillon_zstd_is_error)(size_t result);
typedef size_t (*carillon_zstd_end)(void *stream);
