// A number that tells models apart; see nt_model_fingerprint.
#pragma once

#include <cstdint>

#include "gguf/gguf.h"

namespace nt {

uint64_t fingerprint(const GgufFile& file);

}  // namespace nt
