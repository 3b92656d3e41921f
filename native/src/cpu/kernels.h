// The CPU's kernels: one table of functions a level. The scalar table is the specification; a higher level overrides
// entries and inherits the rest, and native/test/kernels_check.cpp holds every level against scalar.
//
// Matrix products decode once and dot many: 16 rows by 256 values of weights are unpacked into a tile and multiplied
// with every column of the batch. A column's result depends on its own values alone, never on how many columns or rows
// a call has, so that batches and threads do not change results.
#pragma once

#include <cstddef>
#include <cstdint>

#include "quant/formats.h"

namespace nt::cpu {

constexpr int kTileRows = 16;
constexpr int kChunk = 256;                // values of a row that are quantised, unpacked and multiplied at a time
constexpr int kPageTokens = 64;            // tokens in a page of the KV cache
constexpr size_t kScratchBytes = 1 << 20;  // of the scratch that a kernel is given, aligned to 64

// 256 consecutive values of one column, quantised to int8:  x ≈ scale · q.
// Scales are one for each 32 values, or one for all 256 (then the eight are equal), as the weights' format wants.
// A last chunk that is shorter is filled up with zeros.
struct alignas(64) ActivationChunk {
  int8_t q[kChunk];
  float scale[8];         // of values 32j … 32j+31
  float sum32f[8];        // sum32 as floats
  int16_t sum16[16];      // Σ q of values 16j … 16j+15
  int16_t sum32[8];       // Σ q of values 32j … 32j+31
  int32_t bias32[16][2];  // −32 · Σ q of values 16j + {0 … 3, 8 … 11} and of 16j + {4 … 7, 12 … 15}
};
static_assert(sizeof(ActivationChunk) == 512);

// Values that share an activation scale: the formats with blocks of 32 want 32, the others 256.
inline int activation_block(Format f) { return info(f).values < kChunk ? 32 : kChunk; }

// A matrix product of some rows of a weight matrix with the columns of a batch:
//   out(c, r) = Σ_k weight(r, k) · x(c, k),   r in [0, n_rows), c in [0, n_cols)
struct Matmul {
  const uint8_t* rows;       // (n_rows, n_values) in the format of the kernel
  size_t row_bytes;          // from one row to the next
  int n_rows;                // any; 16 or a multiple is fastest
  bool rows_apart;           // whether 16 rows that are taken together had better lie n_rows / 16 apart
  int n_values;              // K: a multiple of the format's block
  int n_cols;                // 1 or more
  const ActivationChunk* q;  // (n_chunks, n_cols): chunk i of column c at q[i·q_stride + c]; quantised kernels only
  size_t q_stride;           // chunks
  const float* x;            // (n_cols, n_values): column c at x + c·x_stride; float kernels only
  size_t x_stride;           // values
  float* out;                // (n_cols, n_rows): column c at out + c·out_stride
  size_t out_stride;         // values
  void* scratch;             // kScratchBytes
};

// The state of an online softmax over a range of tokens, for n_rows queries of one KV head.
struct AttentionState {
  float* max;  // (n_rows); −∞ where nothing was seen
  float* sum;  // (n_rows): Σ exp(score − max)
  float* out;  // (n_rows, head_dim): Σ exp(score − max) · v
};

// Attention of n_rows queries over up to n_pages pages of one KV head.
template <typename Page>
struct PagedAttention {
  const float* q;            // (n_rows, head_dim), already divided by √head_dim
  int n_rows;                // all query heads that share the KV head, of one or several tokens; up to 512
  int head_dim;              // up to 512; in Q8_0 a multiple of 32
  const Page* const* pages;  // F16: K (head_dim, 64) then V (64, head_dim), the token is the fast index of K.
                             // Q8_0: see kv_page_q8.h
  const int32_t* n_visible;  // (n_rows): how many of the 64·n_pages tokens row r may see; the others count for nothing,
                             // whatever they hold
  int n_pages;
  AttentionState state;  // written
  void* scratch;         // kScratchBytes
};
using Attention = PagedAttention<uint16_t>;
using AttentionQ8 = PagedAttention<uint8_t>;

// Candidates of sampling by their keys, which are center − logit, or the absolute value of that.
struct KeyRange {
  double center;
  bool absolute;
  double low, high;  // both belong to it
};

struct Kernels {
  const char* name;

  // Whether Matmul's suits this CPU: see wants_rows_apart().
  bool rows_apart;

  // Products with quantised activations, and with float activations and F32 accumulation. The first is null for F32,
  // F16 and BF16. Indexed by format.
  void (*matmul[kFormatLimit])(const Matmul&);
  void (*matmul_float[kFormatLimit])(const Matmul&);

  // Decodes n values of a row (a multiple of the block). Bit for bit nt::decode at every level. Indexed by format.
  void (*decode[kFormatLimit])(const uint8_t* row, size_t n, float* out);

  // Quantises one column of n values (a multiple of 32) with a scale for each `block` (32 or 256) values: chunk i goes
  // to out[i·chunk_stride]. scale = max|x| / 127, q = x / scale rounded to nearest even. A block whose scale would be
  // subnormal gets the scale 0 and zeros, one that holds a NaN or an infinity the scale NaN and zeros.
  void (*quantize)(const float* x, int n, int block, ActivationChunk* out, size_t chunk_stride);

  // out = x / √(mean(x²) + eps) · weight, n values. out may be x.
  void (*rms_norm)(const float* x, const float* weight, int n, float eps, float* out);

  // Rotates adjacent pairs of the first 2·n_pairs values of each of n_heads heads, in place. cos, sin: (n_pairs).
  void (*rope)(float* x, int n_heads, int head_dim, const float* cos, const float* sin, int n_pairs);

  // out = gate / (1 + exp(−gate)) · up, n values. out may be gate.
  void (*swiglu)(const float* gate, const float* up, size_t n, float* out);

  // x += y, n values.
  void (*add)(float* x, const float* y, size_t n);

  // Stores one token's key and value of one KV head into slot [0, 64) of a page, rounded to nearest even.
  void (*store_kv)(const float* k, const float* v, int head_dim, uint16_t* page, int slot);

  // Attention from an empty state. A row that sees nothing gets max −∞, sum 0, out 0.
  void (*attend)(const Attention&);

  // Stores the same in a page in Q8_0, for head_dim a multiple of 32. scale = max|x| / 127 of 32 values, rounded up to
  // a half; q = x / scale rounded to nearest even. Where a value is not finite or the scale is above the largest half,
  // the scale is NaN and q zeros.
  void (*store_kv_q8)(const float* k, const float* v, int head_dim, uint8_t* page, int slot);

  // As attend(), with queries rounded to 15 bits: of 32 values scale = max|x| / 16256, as quantize() does. With b for
  // blocks of 32 values, d for scales and dots exact, in integers:
  //   score(t) = Σ_b (d_k(b, t) · d_q(b)) · dot(b, t)      out = Σ_t (exp(score − max) · d_v(b, t)) · v(t)
  void (*attend_q8)(const AttentionQ8&);

  // The orthonormal Walsh-Hadamard transform, in place, of each run of as many values as the largest power of two that
  // divides n has. Dots of transformed vectors are those of the vectors, and no value stands out from its block: scales
  // of keys and queries then waste fewer bits on outliers (QuaRot, arXiv 2404.00456).
  void (*hadamard)(float* x, int n);

  // Folds the state of later tokens into that of earlier ones, n_rows rows.
  void (*merge_attention)(const AttentionState& into, const AttentionState& later, int n_rows, int head_dim);

  // out[i] = portable_exp(x[i] − max), n values, of which none is above max: bit for bit the same at every level, since
  // what is sampled depends on it.
  void (*exp_below)(const double* x, size_t n, double max, double* out);

  // Of candidates begin … end − 1, moves those whose keys are in the range to the places from `to` on, in order, and
  // returns the place after the last. to ≤ begin; what is between the result and end holds anything. weights may be
  // null.
  size_t (*keep_in_range)(const KeyRange& range, size_t begin, size_t end, size_t to, int32_t* ids, double* logits,
                          double* weights);

  // out[i] = how many of the `last` equal parts of [range.low, range.high] are wholly below the key of logit i, `last`
  // at most. No key is below range.low; bit for bit the same at every level.
  void (*bucket)(const KeyRange& range, int32_t last, const double* logits, size_t n, int32_t* out);

  // ids[i] = i, out[i] = x[i].
  void (*widen)(const float* x, size_t n, int32_t* ids, double* out);

  // The least and the largest of n values, none of which is NaN; ∞ and −∞ where n is 0.
  void (*extremes)(const double* x, size_t n, double* least, double* most);

  // For measuring the machine's limits: reads all the bytes (a multiple of 4096), which AVX2 and AVX-512 do in
  // n_streams (1, 2, 4 … 16) equal parts side by side, and adds them up as words of 64 bits; multiply-adds done by
  // `rounds` rounds of independent int8 dots.
  uint64_t (*read_bytes)(const void* p, size_t bytes, int n_streams);
  double (*dot_peak)(int64_t rounds, uint64_t* sink);
};

// What m.rows_apart had better be, which changes no results: a stream is to be longer than it takes the hardware to
// follow it. (Ice Lake, a column of Q4_1 in streams of 1.9 KB: 8.5 instead of 11.5 GB/s; of Q6_K in streams of 6.7 KB:
// 14.8 instead of 12.7.)
inline bool wants_rows_apart(const Kernels& k, const Matmul& m) {
  constexpr size_t kShortest = 4096;
  return k.rows_apart && static_cast<size_t>(m.n_rows / kTileRows) * m.row_bytes >= kShortest;
}

// The highest level that this CPU, its operating system and the cap in NAUTIL_ISA allow.
const Kernels& kernels();

// Every level that this CPU can run, lowest first: what the checker walks. Returns how many; out has room for 8.
int all_kernels(const Kernels** out);

}  // namespace nt::cpu
