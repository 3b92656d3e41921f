// Reads and validates the header of one GGUF file: everything before the tensors' data.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "gguf/gguf.h"

namespace nt {

// Positions of entries in the order of their names: what find() searches.
using NameIndex = std::vector<uint32_t>;

struct Header {
  uint32_t version = 0;
  uint64_t alignment = 32;
  std::vector<MetadataEntry> metadata;  // in the file's order, as are the tensors
  NameIndex metadata_index;
  std::vector<TensorEntry> tensors;
};

// How large a file may be of which only the header is there: the sum of its tensors' values is then an int64, too.
constexpr uint64_t kMaxFileBytes = uint64_t{1} << 60;

// Of the first n_there bytes of a file of `size`; where those are not all, tensors have no data. The result points into
// data. Throws Error: NT_FORMAT, or NT_INCOMPLETE where the header goes on behind the bytes that are there.
Header read_header(const uint8_t* data, uint64_t n_there, uint64_t size);

NameIndex index_names(const std::vector<MetadataEntry>& entries);  // throws where two have one name
NameIndex index_names(const std::vector<TensorEntry>& entries);

// nullptr if there is none.
const MetadataEntry* find_name(const std::vector<MetadataEntry>& entries, const NameIndex& index,
                               std::string_view name);
const TensorEntry* find_name(const std::vector<TensorEntry>& entries, const NameIndex& index, std::string_view name);

}  // namespace nt
