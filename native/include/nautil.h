/*
 * The C ABI of Nautil's core: GGUF files, models, contexts, decoding and sampling.
 *
 * - Handles are opaque. Whoever receives one frees it with the function named beside its constructor, once.
 * - Every call that can fail takes an nt_error, which the caller owns and which is written only on failure. It returns
 *   its status, or NULL where it returns a handle. A failed call changes nothing that the caller can see, but for
 *   nt_decode, which drops the results of the call before.
 * - No pointer may be NULL unless it is said so here; an nt_error may, and so may what is to be freed. Calls that can
 *   fail check this: NT_INVALID_ARGUMENT.
 * - No call prints, aborts or throws. No call keeps a pointer that it was given, unless it says so.
 * - Structures have fixed-width fields; those marked "out" are filled by the core. `reserved` fields are zero.
 * - Sizes are in bytes where the name says bytes, else in the unit that the comment gives.
 * - Thread rules: nt_file and nt_model are immutable after construction and may be used from any number of threads at
 *   once. An nt_context is used by one thread at a time. Freeing a handle while another thread uses it is the caller's
 *   error. An nt_pool may serve several contexts from several threads.
 */
#ifndef NAUTIL_H
#define NAUTIL_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#if defined(NT_STATIC)
#define NT_API
#elif defined(_WIN32)
#define NT_API __declspec(dllexport)
#else
#define NT_API __attribute__((visibility("default")))
#endif

typedef enum nt_status {
  NT_OK = 0,
  NT_INVALID_ARGUMENT = 1, /* the caller broke a rule stated here */
  NT_IO = 2,               /* a file cannot be opened, mapped or read */
  NT_FORMAT = 3,           /* a file is malformed: nt_error.offset says where */
  NT_UNSUPPORTED = 4,      /* well-formed, but of a kind that this build does not run */
  NT_OUT_OF_MEMORY = 5,
  NT_CONTEXT_FULL = 6, /* no room for tokens: nt_error.used, wanted and capacity say by how much */
  NT_CANCELLED = 7,    /* the caller's cancel flag was set */
  NT_INTERNAL = 8,     /* a defect of the core */
  NT_INCOMPLETE = 9    /* of NT_FILE_HEADER: more of the file is needed, at least nt_error.wanted bytes of it */
} nt_status;

/* Why a call failed. */
typedef struct nt_error {
  int32_t status; /* nt_status */
  int32_t part;   /* index of the file of a split model, for NT_FORMAT and NT_IO */
  int64_t offset; /* bytes from the start of that file, or -1 */
  int64_t used;   /* tokens, for NT_CONTEXT_FULL */
  int64_t wanted; /* tokens, for NT_CONTEXT_FULL; bytes from the start of the file, for NT_INCOMPLETE */
  int64_t capacity;
  char message[984]; /* UTF-8, NUL-terminated, without the file's name */
} nt_error;

typedef struct nt_file nt_file;
typedef struct nt_pool nt_pool;
typedef struct nt_model nt_model;
typedef struct nt_context nt_context;

/* ------------------------------------------------------------------------------------------------ the process */

/* "0.1.0"; static. */
NT_API const char* nt_version(void);

/* The instruction set level that the kernels run at: "scalar"; on x86-64 "avx2", "avx_vnni", "avx512_vnni",
 * "avx512_vbmi" or "amx_int8"; on AArch64 "neon", "neon_dotprod" or "neon_i8mm". The environment variable NAUTIL_ISA
 * caps it. Static. */
NT_API const char* nt_isa(void);

/* How many threads this process may run at once, as affinity and cgroup quota allow; at least 1. */
NT_API int32_t nt_default_threads(void);

/* Bytes that the process could still allocate without swapping: the least of what the system and the cgroup have. */
NT_API int64_t nt_available_memory(void);

/* Bytes of memory that there are: of the machine, or of the cgroup where that is less. */
NT_API int64_t nt_physical_memory(void);

/* Resident anonymous memory of the process in bytes, or -1 where the system does not say. */
NT_API int64_t nt_anonymous_memory(void);

/* -------------------------------------------------------------------------------------------------- GGUF files */

enum {
  NT_FILE_COPY = 1,  /* read the file into memory instead of mapping it: safe if the file may shrink while it is open */
  NT_FILE_HEADER = 2 /* read what precedes the tensors' data: the file may end anywhere after that. For estimates and
                        listings; the data itself is not to be had, nor a model */
};

/* GGUF's metadata value types. */
enum {
  NT_KV_UINT8 = 0,
  NT_KV_INT8 = 1,
  NT_KV_UINT16 = 2,
  NT_KV_INT16 = 3,
  NT_KV_UINT32 = 4,
  NT_KV_INT32 = 5,
  NT_KV_FLOAT32 = 6,
  NT_KV_BOOL = 7,
  NT_KV_STRING = 8,
  NT_KV_ARRAY = 9,
  NT_KV_UINT64 = 10,
  NT_KV_INT64 = 11,
  NT_KV_FLOAT64 = 12
};

typedef struct nt_file_info { /* out */
  int32_t version;            /* 2 or 3 */
  int32_t n_parts;            /* files of a split model, else 1 */
  int64_t alignment;          /* bytes */
  int64_t n_kv;
  int64_t n_tensors;    /* of all parts */
  int64_t file_bytes;   /* of all parts; with NT_FILE_HEADER at least, up to the end of the last tensor's data */
  int64_t tensor_bytes; /* of all tensors, without padding */
} nt_file_info;

typedef struct nt_kv { /* out; pointers live as long as the nt_file */
  const char* key;     /* UTF-8 bytes, not NUL-terminated */
  int64_t key_bytes;
  int32_t type;         /* NT_KV_… */
  int32_t element_type; /* of an array, else -1 */
  int64_t count;        /* elements of an array, else 1 */
  const uint8_t* data;  /* the value as GGUF encodes it, little-endian, without the type (and, for an array, its element
                           type and count) */
  int64_t data_bytes;
} nt_kv;

typedef struct nt_tensor_info { /* out; pointers live as long as the nt_file */
  const char* name;             /* UTF-8 bytes, not NUL-terminated */
  int64_t name_bytes;
  int32_t type; /* GGUF's tensor type number */
  int32_t n_dims;
  int64_t shape[4]; /* values; shape[0] is the length of a row; 1 beyond n_dims */
  int64_t offset;   /* bytes from the start of its file */
  int64_t bytes;
  int32_t part;
  int32_t reserved;
} nt_tensor_info;

/*
 * Opens and validates a GGUF file (version 2 or 3). For a split model, name its first part: the others are found beside
 * it by GGUF's naming rule. path is UTF-8. flags: NT_FILE_…, of which one at most. Free with nt_file_close.
 * Status: NT_IO, NT_FORMAT, NT_OUT_OF_MEMORY; with NT_FILE_HEADER, NT_INCOMPLETE where the file ends before its header
 * does. Where nt_error.wanted is more than the whole file is said to have, the file is malformed.
 */
NT_API nt_file* nt_file_open(const char* path, uint32_t flags, nt_error* error);
NT_API void nt_file_close(nt_file* file);
NT_API void nt_file_get_info(const nt_file* file, nt_file_info* out);

/* index in [0, n_kv). Keys of the later parts of a split model are not among them. */
NT_API nt_status nt_file_get_kv(const nt_file* file, int64_t index, nt_kv* out, nt_error* error);

/*
 * Copies an array of strings: all their bytes one after another, and n + 1 offsets into them.
 * bytes may be NULL with capacity 0 to fill the offsets only: the last one is the size that bytes must have.
 */
NT_API nt_status nt_file_copy_strings(const nt_file* file, int64_t index, uint8_t* bytes, int64_t bytes_capacity,
                                      int32_t* offsets, int64_t offsets_capacity, nt_error* error);

/* index in [0, n_tensors). */
NT_API nt_status nt_file_get_tensor(const nt_file* file, int64_t index, nt_tensor_info* out, nt_error* error);

/* Decodes rows [first_row, first_row + n_rows) into out, (n_rows, shape[0]) floats; rows run over all outer dimensions.
 * Status: NT_INVALID_ARGUMENT (also of a file opened with NT_FILE_HEADER). */
NT_API nt_status nt_file_decode_rows(const nt_file* file, int64_t tensor, int64_t first_row, int64_t n_rows, float* out,
                                     int64_t out_capacity, nt_error* error);

/*
 * Brings a range of the file into the page cache, so that a caller can show progress and be cancelled between calls.
 * Offsets run over all parts, one after another, and are clipped to their end.
 */
NT_API nt_status nt_file_touch(const nt_file* file, int64_t offset, int64_t bytes, nt_error* error);

/* "Q4_K" for 12; NULL for a type that this build does not decode. Static. */
NT_API const char* nt_type_name(int32_t type);

/* ---------------------------------------------------------------------------------------------------- threads */

/* A pool of n_threads - 1 workers; the calling thread is the last. n_threads 0 means nt_default_threads(). Free with
 * nt_pool_free, after every context that uses it. */
NT_API nt_pool* nt_pool_new(int32_t n_threads, nt_error* error);
NT_API void nt_pool_free(nt_pool* pool);
NT_API int32_t nt_pool_threads(const nt_pool* pool);

/* ----------------------------------------------------------------------------------------------------- models */

typedef struct nt_model_info { /* out */
  int32_t n_vocab;
  int32_t n_ctx_train; /* tokens */
  int32_t n_embd;
  int32_t n_layer;
  int32_t n_head;
  int32_t n_head_kv;
  int32_t head_dim;
  int32_t n_ff;
  float rope_theta;
  float rms_eps;
  int64_t n_params;
  int64_t weight_bytes;
  int32_t has_float_weights; /* 1 if a matrix of a product is F32, F16 or BF16, so that a BLAS helps */
  int32_t reserved;
} nt_model_info;

/*
 * Reads the configuration and binds the weights of a file, in place. The model keeps the file's memory alive, so the
 * file may be closed at any time. Free with nt_model_free, after every context of the model.
 * Status: NT_UNSUPPORTED (names the architecture, key or tensor), NT_FORMAT (a tensor is missing or has a wrong shape).
 */
NT_API nt_model* nt_model_new(const nt_file* file, nt_error* error);
NT_API void nt_model_free(nt_model* model);
NT_API void nt_model_get_info(const nt_model* model, nt_model_info* out);

/*
 * A number that tells models apart: of all metadata, of every tensor's name, type and shape, and of 4,096 bytes each at
 * the start, in the middle and at the end of its data. So another file, training or quantisation has another number;
 * weights that were changed elsewhere only do not. Reads some 10 KB of the file a tensor, not the whole.
 */
NT_API uint64_t nt_model_fingerprint(const nt_model* model);

/* --------------------------------------------------------------------------------------------------- contexts */

/* How keys and values are kept. */
typedef enum nt_cache_type {
  NT_CACHE_F16 = 0,
  NT_CACHE_Q8_0 = 1 /* int8 with a scale for every 32 values of a head: 17/32 of the memory of F16. Queries are
                       quantised likewise, also where `exact` is set. For models whose head_dim is a multiple of 32 */
} nt_cache_type;

typedef struct nt_context_params {
  int32_t n_ctx;       /* tokens a sequence may hold, up to 2^30; 0: the model's own, as far as memory allows */
  int32_t n_seq_max;   /* sequences; 0: 1 */
  int32_t n_batch;     /* tokens that one pass over the weights takes; 0: 512 */
  int32_t exact;       /* 1: activations are not quantised and products accumulate in F32; slow, for tests */
  int64_t kv_capacity; /* tokens that all sequences together may hold; 0: n_ctx * n_seq_max, as far as memory allows,
                          but no less than n_ctx. Another value is taken as it is, whatever the memory */
  void* sgemm;         /* cblas_sgemm of a BLAS bounded to one thread, or NULL: used for F32, F16 and BF16 matrices */
  int32_t kv_type;     /* nt_cache_type */
  int32_t overcommit;  /* 1: makes the context even if nt_memory_estimate.fits is 0 */
} nt_context_params;

/* What a model takes with one sequence of n_ctx tokens, and what there is: bytes, but for the tokens. */
typedef struct nt_memory_estimate { /* out */
  int64_t weight_bytes;    /* of all tensors. Mapped, they are page cache, which need not be free beforehand; but where
                              they do not fit beside the rest, every pass reads them from the disk again */
  int64_t kv_bytes;        /* of n_ctx tokens, in whole pages; taken as they fill */
  int64_t working_bytes;   /* at most, beside: of passes of n_batch tokens on n_threads, and of one token's logits and
                              their sampling; without what a BLAS takes */
  int64_t available_bytes; /* nt_available_memory() */
  int64_t physical_bytes;  /* nt_physical_memory() */
  int32_t n_ctx;           /* tokens: as asked for, or what 0 becomes */
  int32_t max_n_ctx;       /* tokens that memory has room for, with a quarter of what is available left to others; may
                              be beyond the model's own. 0: not even a page of 64 */
  int32_t fits; /* 1: keys, values and working memory fit into what is available, and with the weights into what there
                   is. Weights that are not mapped but copied must be available, too */
  int32_t reserved;
} nt_memory_estimate;

/*
 * Estimates what a context with these parameters takes, of a file that holds a model; opened with NT_FILE_HEADER, too.
 * n_threads: of the pool; 0: nt_default_threads(). copy: 1 if the file is yet to be opened with NT_FILE_COPY.
 * Status: NT_INVALID_ARGUMENT, and those of nt_model_new and nt_context_new but for memory.
 */
NT_API nt_status nt_file_estimate(const nt_file* file, int32_t n_threads, const nt_context_params* params, int32_t copy,
                                  nt_memory_estimate* out, nt_error* error);

typedef struct nt_context_info { /* out */
  int32_t n_ctx;
  int32_t n_seq_max;
  int32_t n_batch;
  int32_t n_threads;
  int64_t kv_capacity;        /* tokens */
  int64_t kv_bytes_per_token; /* of all layers, keys and values */
  int64_t kv_bytes;           /* allocated now */
  int64_t n_decoded;          /* tokens decoded since creation */
  int32_t kv_type;            /* nt_cache_type */
  int32_t reserved;
} nt_context_info;

/* pool is kept until nt_context_free. Status: NT_INVALID_ARGUMENT, NT_UNSUPPORTED (a kv_type that the model's heads do
 * not allow), NT_OUT_OF_MEMORY (also where kv_capacity and overcommit are 0 and nt_memory_estimate.fits would be 0: the
 * message has the numbers, and an n_ctx that would fit).
 */
NT_API nt_context* nt_context_new(const nt_model* model, nt_pool* pool, const nt_context_params* params,
                                  nt_error* error);
NT_API void nt_context_free(nt_context* context);
NT_API void nt_context_get_info(const nt_context* context, nt_context_info* out);

/* Where the time of all decodes of a context went, by operation. */
typedef struct nt_operation { /* out */
  const char* name;           /* "attention"; static */
  int64_t calls;
  double seconds; /* as the decoding thread waited */
  int64_t bytes;  /* of weights, keys and values that had to be read */
  int64_t macs;   /* multiply-adds of matrix products and attention */
} nt_operation;

/* Fills up to capacity operations, in the order in which a pass comes to them. Returns how many there are. Any thread
 * may ask while another decodes. */
NT_API int32_t nt_context_get_profile(const nt_context* context, nt_operation* out, int32_t capacity);

/* What is wanted of a token that is decoded. */
enum {
  NT_WANT_NOTHING = 0,
  NT_WANT_LOGITS = 1, /* of the token that follows: nt_get_logits, nt_sample and others */
  NT_WANT_HIDDEN = 2  /* its hidden state after the last norm, without the output head's work: nt_add_hidden */
};

/*
 * Decodes n tokens in one call: tokens[i] goes to sequence seqs[i] at position positions[i], which must continue that
 * sequence. want[i] is an NT_WANT_…: logits and hidden states become rows, each kind counted by itself, in order of i;
 * rows of the previous call are dropped. More than n_batch tokens are taken in several passes.
 *
 * The call is transactional: on any failure every sequence is as it was, and no rows are held.
 * cancel, if not NULL, is read between pieces of work: once another thread makes it non-zero, the call ends with
 * NT_CANCELLED when the pieces that run are done. The largest is a product of 128 rows of a matrix with 512 tokens,
 * whatever n_batch is. For rows of 14,336 values that is 0.94e9 multiply-adds: some 6 ms of a Zen 4 core with AVX-512
 * VNNI, and longer where nt_isa() is lower. A context that waits for its turn on a pool that it shares looks at the
 * flag when it gets it.
 *
 * Status: NT_INVALID_ARGUMENT, NT_CONTEXT_FULL (before any work), NT_OUT_OF_MEMORY, NT_CANCELLED. The cache is handed
 * out in pages of 64 tokens: where all of it is full, and not one sequence, nt_error.used counts its taken pages'
 * tokens.
 */
NT_API nt_status nt_decode(nt_context* context, int32_t n, const int32_t* tokens, const int32_t* seqs,
                           const int32_t* positions, const uint8_t* want, const int32_t* cancel, nt_error* error);

/* Tokens that a sequence in [0, n_seq_max) holds; -1 for any other. */
NT_API int32_t nt_seq_length(const nt_context* context, int32_t seq);

/* Drops all tokens of a sequence from position n on. Of the cache's pages that no sequence is on then, an eighth of
 * those in use or 16, whichever is more, keep their memory for what comes next; the rest goes back to the system. */
NT_API nt_status nt_seq_truncate(nt_context* context, int32_t seq, int32_t n, nt_error* error);

/* Makes `to`, which must be empty, share the first n tokens of `from`. At most one page is copied. */
NT_API nt_status nt_seq_fork(nt_context* context, int32_t from, int32_t to, int32_t n, nt_error* error);

/* Bytes that nt_seq_save writes for n tokens, 1 to 2^30; -1 for any other number. */
NT_API int64_t nt_seq_saved_bytes(const nt_context* context, int32_t n);

/*
 * Writes the keys and values of tokens [first, first + n) of a sequence to out: a block that nt_seq_load takes. `first`
 * is a multiple of 64. Of other sequences it holds nothing. A long sequence is saved in several blocks.
 * Status: NT_INVALID_ARGUMENT (also where the sequence has no such tokens, or out too little room).
 */
NT_API nt_status nt_seq_save(const nt_context* context, int32_t seq, int32_t first, int32_t n, uint8_t* out,
                             int64_t out_capacity, nt_error* error);

/*
 * Appends the tokens of a block to a sequence, without decoding them. The block may come from anywhere: it is checked
 * before anything is done, but for its keys and values, of which every bit pattern is harmless. Whether they are those
 * of this model's tokens, the caller must know: by nt_model_fingerprint, and a checksum.
 * Status: NT_FORMAT (no block, damaged, of another layout than this context's, or not what comes next in the sequence),
 * NT_CONTEXT_FULL, NT_OUT_OF_MEMORY.
 */
NT_API nt_status nt_seq_load(nt_context* context, int32_t seq, const uint8_t* block, int64_t block_bytes,
                             nt_error* error);

/* ----------------------------------------------------------------------------------------- logits and sampling */

/* Logits of which one is NaN, or the largest infinite, as broken weights give: nt_get_logits copies them; the other
 * calls fail with NT_INTERNAL, and the message names the token. */

/* Copies a row of logits of the last decode: n_vocab floats. */
NT_API nt_status nt_get_logits(const nt_context* context, int32_t row, float* out, int64_t out_capacity,
                               nt_error* error);

/* The k most probable tokens of a row, most probable first, lower id first among equals, with natural
 * log-probabilities. */
NT_API nt_status nt_top_logprobs(const nt_context* context, int32_t row, int32_t k, int32_t* tokens, float* logprobs,
                                 nt_error* error);

/* Natural log-probability of tokens[i] in row rows[i], for n pairs. */
NT_API nt_status nt_token_logprobs(const nt_context* context, int32_t n, const int32_t* rows, const int32_t* tokens,
                                   float* logprobs, nt_error* error);

/* A step from the logits to the token: NT_STAGE_… in nt_sampling.order. Each sees the tokens that the ones before it
 * left, and their probabilities among themselves. */
typedef enum nt_stage {
  NT_STAGE_END = 0,         /* ends an order */
  NT_STAGE_PENALTIES = 1,   /* of tokens that the history has: repetition, frequency, presence */
  NT_STAGE_DRY = 2,         /* of tokens that would continue a repetition */
  NT_STAGE_TOP_N_SIGMA = 3, /* keeps logits within so many standard deviations of the largest */
  NT_STAGE_TOP_K = 4,       /* keeps the k most probable tokens */
  NT_STAGE_TYPICAL = 5,     /* keeps the tokens whose surprise is nearest to the entropy */
  NT_STAGE_TOP_P = 6,       /* keeps the fewest tokens that have the probability together */
  NT_STAGE_MIN_P = 7,       /* keeps tokens of this part of the most probable one's probability */
  NT_STAGE_XTC = 8,         /* excludes top choices, by chance */
  NT_STAGE_TEMPERATURE = 9  /* divides the logits by the temperature */
} nt_stage;

/*
 * How a row is sampled: `order` names the stages that run, each at most once. The mask and the biases always come
 * before them, and after them mirostat and then the draw. Of equal logits, the lower id counts as more probable.
 *
 * The result depends on the logits, the mask and what is here alone, and is the same on every platform and at every
 * optimisation: no function of the C library takes part in a choice, and no order that a sort leaves open.
 *
 * Start from nt_sampling_init, which switches everything off. No pointer is kept after the call.
 */
typedef struct nt_sampling {
  uint64_t seed;
  uint64_t counter; /* different for each draw of a generation: the position of the token */

  const int32_t* history; /* the tokens before, of the prompt and the reply, latest last; NULL if there are none. Only
                             as many of the last are read as the windows below ask for */
  const int32_t* bias_tokens;
  const float* biases;          /* added to the logits of bias_tokens; -infinity bans a token */
  const uint64_t* dry_breakers; /* (n_vocab + 63) / 64 words: a set bit is a token that no repetition reaches over;
                                   NULL for none */
  const int32_t* xtc_exempt;    /* XTC does nothing where it would exclude one of these */
  double mirostat_mu;           /* in and out: 2 * mirostat_tau before the first token of a generation */
  int32_t n_history;
  int32_t n_biases;
  int32_t n_xtc_exempt;

  float temperature; /* 0 or more; 0: the most probable token of those that are left */
  /* 0 or more; 0: off. Else the temperature is from max(0, temperature - range) to temperature + range: with H the
   * entropy of the n tokens left, low + (high - low) * (H / ln n) ^ temperature_exponent. */
  float temperature_range;
  float temperature_exponent; /* above 0 */
  int32_t top_k;              /* 0: off */
  float top_p;                /* (0, 1]; 1: off */
  float min_p;                /* [0, 1]; 0: off */
  float typical_p;            /* (0, 1]; 1: off */
  float top_n_sigma;          /* 0: off */
  float xtc_probability;      /* [0, 1]: how often XTC acts; 0: off */
  float xtc_threshold;        /* (0, 1]: of the tokens of at least this probability, all but the least probable go */

  /* Each token that the last penalty_last_n have: its logit is divided by repeat_penalty if it is positive, else
   * multiplied; and then less frequency_penalty times how often it comes, and less presence_penalty. */
  int32_t penalty_last_n; /* tokens; 0: off; -1: the whole history */
  float repeat_penalty;   /* above 0; 1: off */
  float frequency_penalty;
  float presence_penalty;

  /* The longest sequence of n tokens that ends the history and that the token followed before: n of at least
   * dry_allowed_length takes dry_multiplier * dry_base ^ (n - dry_allowed_length) from the logit, at most 1e30. */
  float dry_multiplier;       /* 0: off */
  float dry_base;             /* 1 or more */
  int32_t dry_allowed_length; /* tokens; 1 or more */
  int32_t dry_last_n;         /* tokens; 0: off; -1: the whole history */

  float mirostat_tau; /* bits of surprise that a token shall have on average; 0: off */
  float mirostat_eta; /* how fast mirostat_mu follows */

  uint8_t order[12]; /* nt_stage, up to the first NT_STAGE_END. Empty: the order in which nt_stage names them */
} nt_sampling;

/* Everything off, but for a draw at temperature 1. */
NT_API void nt_sampling_init(nt_sampling* out);

/*
 * Samples n rows: params[i] for row rows[i], of which mirostat_mu is written. masks, if not NULL, holds for each i
 * (n_vocab + 63) / 64 words in which a set bit allows a token. Status: NT_INVALID_ARGUMENT (the message has the
 * parameter, its value and its range; also where a mask or the biases leave nothing).
 */
NT_API nt_status nt_sample(const nt_context* context, int32_t n, const int32_t* rows, nt_sampling* params,
                           const uint64_t* masks, int32_t* tokens, nt_error* error);

/* --------------------------------------------------------------------------------------------------- embeddings */

/*
 * Adds n rows of hidden states of the last decode, from row `first` on, to sum: n_embd doubles, each the sum of the
 * rows in their order. So a text's states can be summed over several decodes, and how it was cut changes no bit of the
 * sum; of one row added to zeros, a copy comes.
 * Status: NT_INVALID_ARGUMENT, NT_INTERNAL (a value is no finite number, as broken weights give; sum is as it was).
 */
NT_API nt_status nt_add_hidden(const nt_context* context, int32_t first, int32_t n, double* sum, int64_t sum_capacity,
                               nt_error* error);

/* -------------------------------------------------------------------------------------------- measuring limits */

/* Read bandwidth of all the pool's threads over memory that no cache holds, in bytes a second, each reading in order or
 * as eight streams, whichever is faster: the median of passes, since other programs take their part. Takes about 1 s.
 */
NT_API nt_status nt_measure_bandwidth(nt_pool* pool, double* bytes_per_second, nt_error* error);

/* Peak multiply-adds a second of the int8 dot instruction of nt_isa() on all the pool's threads. Takes about 0.3 s. */
NT_API nt_status nt_measure_dot(nt_pool* pool, double* macs_per_second, nt_error* error);

#ifdef __cplusplus
}
#endif
#endif
