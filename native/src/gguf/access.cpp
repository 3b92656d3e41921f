#include "gguf/access.h"

#include <cinttypes>
#include <cstring>

namespace nt {

namespace {

void check_capacity(const char* what, uint64_t needed, int64_t capacity, const void* target) {
  if (needed == 0) return;
  if (target == nullptr || capacity < 0 || static_cast<uint64_t>(capacity) < needed) {
    throw Error(NT_INVALID_ARGUMENT, format("room for %" PRIu64 " %s is needed, and there is room for %" PRId64, needed,
                                            what, target == nullptr ? 0 : capacity));
  }
}

}  // namespace

void copy_strings(const MetadataEntry& entry, uint8_t* bytes, int64_t bytes_capacity, int32_t* offsets,
                  int64_t offsets_capacity) {
  if (entry.type != NT_KV_ARRAY || entry.element_type != NT_KV_STRING) {
    throw Error(NT_INVALID_ARGUMENT, format("key %s is no array of strings", quote(entry.key).c_str()));
  }
  const uint64_t total = entry.bytes - sizeof(uint64_t) * entry.count;  // each string has its length before it
  if (total > INT32_MAX) {
    throw Error(NT_UNSUPPORTED, format("the strings of key %s take %" PRIu64 " bytes; at most 2 GiB are handled",
                                       quote(entry.key).c_str(), total));
  }
  check_capacity("offsets", entry.count + 1, offsets_capacity, offsets);
  const bool offsets_only = bytes == nullptr && bytes_capacity == 0;
  if (!offsets_only) check_capacity("bytes", total, bytes_capacity, bytes);
  const uint8_t* p = entry.data;
  int32_t at = 0;
  for (uint64_t i = 0; i < entry.count; ++i) {
    const std::string_view text = next_string(&p);
    if (!offsets_only && !text.empty()) std::memcpy(bytes + at, text.data(), text.size());
    offsets[i] = at;
    at += static_cast<int32_t>(text.size());
  }
  offsets[entry.count] = at;
}

void decode_rows(const TensorEntry& tensor, int64_t first, int64_t n, float* out, int64_t capacity) {
  if (tensor.data == nullptr) throw Error(NT_INVALID_ARGUMENT, "the file was opened for its header alone");
  if (first < 0 || n < 0 || first > tensor.n_rows() || n > tensor.n_rows() - first) {
    throw Error(NT_INVALID_ARGUMENT,
                format("rows %" PRId64 " to %" PRId64 " + %" PRId64 " of tensor %s, which has %" PRId64, first, first,
                       n, quote(tensor.name).c_str(), tensor.n_rows()));
  }
  // Neither product overflows: both are at most the tensor's number of values.
  const uint64_t n_cols = static_cast<uint64_t>(tensor.shape[0]);
  const uint64_t n_values = static_cast<uint64_t>(n) * n_cols;
  check_capacity("floats", n_values, capacity, out);
  if (n_values == 0) return;
  const uint8_t* rows = tensor.data + static_cast<size_t>(first) * row_bytes(tensor.format, n_cols);
  decode(tensor.format, rows, n_values, out);
}

}  // namespace nt
