package dev.nautil.engine;

/**
 * Keys and values that came from a file. They may be anything, whatever tokens the file says they
 * are of: only conversations that come from that file go on from them, never others that begin with
 * the same tokens.
 */
public final class RestoredKv {
  RestoredKv() {}
}
