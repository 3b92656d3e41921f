/** Text to token ids and back: byte-level BPE and SentencePiece-style vocabularies. */
@NullMarked
package dev.nautil.tokenizer;

import org.jspecify.annotations.NullMarked;
