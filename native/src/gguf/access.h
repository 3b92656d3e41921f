// Copies values out of a file for callers on the other side of the C ABI.
#pragma once

#include <cstdint>

#include "gguf/gguf.h"

namespace nt {

// The strings of an array one after another, and n + 1 offsets into them. bytes may be nullptr with capacity 0 to fill
// the offsets only. Throws Error: NT_INVALID_ARGUMENT where entry is no array of strings or a capacity is too small,
// NT_UNSUPPORTED where the strings are more than 2 GiB. What throws writes nothing.
void copy_strings(const MetadataEntry& entry, uint8_t* bytes, int64_t bytes_capacity, int32_t* offsets,
                  int64_t offsets_capacity);

// Rows [first, first + n) as (n, shape[0]) floats; capacity in floats. Throws Error (NT_INVALID_ARGUMENT, also where
// the tensor has no data).
void decode_rows(const TensorEntry& tensor, int64_t first, int64_t n, float* out, int64_t capacity);

}  // namespace nt
