// The formats that weights come in: one row a format. A new one adds its row here, and its header beside this file and
// in all.h.
#pragma once

#include <cstddef>
#include <cstdint>

namespace nt {

// X(name, GGUF's tensor type number, values a block, bytes a block)
#define NT_QUANTIZED_FORMATS(X) \
  X(Q4_0, 2, 32, 18)            \
  X(Q4_1, 3, 32, 20)            \
  X(Q5_0, 6, 32, 22)            \
  X(Q5_1, 7, 32, 24)            \
  X(Q8_0, 8, 32, 34)            \
  X(Q2_K, 10, 256, 84)          \
  X(Q3_K, 11, 256, 110)         \
  X(Q4_K, 12, 256, 144)         \
  X(Q5_K, 13, 256, 176)         \
  X(Q6_K, 14, 256, 210)         \
  X(IQ2_XXS, 16, 256, 66)       \
  X(IQ2_XS, 17, 256, 74)        \
  X(IQ3_XXS, 18, 256, 98)       \
  X(IQ1_S, 19, 256, 50)         \
  X(IQ4_NL, 20, 32, 18)         \
  X(IQ3_S, 21, 256, 110)        \
  X(IQ2_S, 22, 256, 82)         \
  X(IQ4_XS, 23, 256, 136)       \
  X(IQ1_M, 29, 256, 56)

#define NT_FLOAT_FORMATS(X) \
  X(F32, 0, 1, 4)           \
  X(F16, 1, 1, 2)           \
  X(BF16, 30, 1, 2)

#define NT_FORMATS(X) NT_FLOAT_FORMATS(X) NT_QUANTIZED_FORMATS(X)

// The value is GGUF's number, so that a file's type field is a Format once find_format() knows it.
enum class Format : int32_t {
#define X(name, id, values, bytes) name = id,
  NT_FORMATS(X)
#undef X
};

constexpr int kFormatLimit = 31;  // one past the largest number; tables are indexed by it

struct FormatInfo {
  const char* name;
  int values;      // in a block
  int bytes;       // of a block
  bool quantized;  // false: F32, F16, BF16
};

// nullptr for a number that is none of the formats above.
const FormatInfo* find_format(int32_t id);

inline const FormatInfo& info(Format f) { return *find_format(static_cast<int32_t>(f)); }

// Bytes of n consecutive values; n is a multiple of the block.
inline size_t row_bytes(Format f, size_t n) { return n / info(f).values * info(f).bytes; }

// Scalar decode of n values (a multiple of the block), bit for bit what gguf-py's dequantize gives.
void decode(Format f, const void* blocks, size_t n, float* out);

}  // namespace nt
