// What the sampler leaves of a row of logits, for an oracle to compare:
//
//   sampler_check LOGITS NAME=VALUE…
//
// LOGITS is a file of 32-bit floats; a name is a field of nt_sampling. history and order are lists, as in 1,2,3. Prints
// "id probability" of each token that can be drawn.
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <map>
#include <string>
#include <vector>

#include "error.h"
#include "sampling/sampler.h"

namespace {

std::vector<int32_t> list(const std::string& text) {
  std::vector<int32_t> all;
  for (const char* p = text.c_str(); *p != 0;) {
    char* end = nullptr;
    all.push_back(static_cast<int32_t>(std::strtol(p, &end, 10)));
    p = *end == ',' ? end + 1 : end;
  }
  return all;
}

const std::map<std::string, float nt_sampling::*> kFloats = {
    {"temperature", &nt_sampling::temperature},
    {"temperature_range", &nt_sampling::temperature_range},
    {"temperature_exponent", &nt_sampling::temperature_exponent},
    {"top_p", &nt_sampling::top_p},
    {"min_p", &nt_sampling::min_p},
    {"typical_p", &nt_sampling::typical_p},
    {"top_n_sigma", &nt_sampling::top_n_sigma},
    {"xtc_probability", &nt_sampling::xtc_probability},
    {"xtc_threshold", &nt_sampling::xtc_threshold},
    {"repeat_penalty", &nt_sampling::repeat_penalty},
    {"frequency_penalty", &nt_sampling::frequency_penalty},
    {"presence_penalty", &nt_sampling::presence_penalty},
    {"dry_multiplier", &nt_sampling::dry_multiplier},
    {"dry_base", &nt_sampling::dry_base},
    {"mirostat_tau", &nt_sampling::mirostat_tau},
};

const std::map<std::string, int32_t nt_sampling::*> kInts = {
    {"top_k", &nt_sampling::top_k},
    {"penalty_last_n", &nt_sampling::penalty_last_n},
    {"dry_allowed_length", &nt_sampling::dry_allowed_length},
    {"dry_last_n", &nt_sampling::dry_last_n},
};

bool set(nt_sampling* p, const std::string& name, const std::string& value, std::vector<int32_t>* history) {
  if (name == "history") {
    *history = list(value);
    p->history = history->data();
    p->n_history = static_cast<int32_t>(history->size());
  } else if (name == "order") {
    const std::vector<int32_t> stages = list(value);
    for (size_t i = 0; i < stages.size() && i < sizeof p->order; ++i) p->order[i] = static_cast<uint8_t>(stages[i]);
  } else if (name == "mirostat_mu") {
    p->mirostat_mu = std::atof(value.c_str());
  } else if (kFloats.count(name) != 0) {
    p->*kFloats.at(name) = std::strtof(value.c_str(), nullptr);
  } else if (kInts.count(name) != 0) {
    p->*kInts.at(name) = std::atoi(value.c_str());
  } else {
    return false;
  }
  return true;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) return 2;
  std::ifstream file(argv[1], std::ios::binary);
  const std::string bytes{std::istreambuf_iterator<char>(file), {}};
  const auto* logits = reinterpret_cast<const float*>(bytes.data());
  nt_sampling p;
  nt_sampling_init(&p);
  std::vector<int32_t> history;
  for (int i = 2; i < argc; ++i) {
    const std::string text = argv[i];
    const size_t at = text.find('=');
    if (at == std::string::npos || !set(&p, text.substr(0, at), text.substr(at + 1), &history)) {
      std::fprintf(stderr, "what is %s?\n", argv[i]);
      return 2;
    }
  }
  try {
    nt::SamplerMemory memory;
    nt::Candidates& left = nt::narrow(logits, static_cast<int>(bytes.size() / sizeof(float)), p, nullptr, &memory);
    for (size_t i = 0; i < left.size(); ++i)
      std::printf("%d %.9g\n", left.id(i), left.weights()[i] / left.total_weight());
  } catch (const nt::Error& e) {
    std::fprintf(stderr, "%s\n", e.what());
    return 1;
  }
  return 0;
}
