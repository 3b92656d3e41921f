package dev.nautil;

import java.util.List;

/** How far a pull is. */
public record PullProgress(List<Layer> layers) {
  public PullProgress {
    layers = List.copyOf(layers);
  }

  /** What a layer holds. */
  public enum Kind {
    /** A GGUF file, or a part of one. */
    WEIGHTS,
    /** What the publisher says of the model. */
    CONFIG,
    /** A licence, a chat template or default parameters. */
    TEXT
  }

  /**
   * A part of the model that is fetched by itself.
   *
   * @param digest what it is known by, such as {@code sha256:…}
   * @param done bytes that are here, also those of an earlier pull
   * @param size bytes of it
   */
  public record Layer(String digest, Kind kind, long done, long size) {}

  /** Bytes that are here. */
  public long done() {
    return layers.stream().mapToLong(Layer::done).sum();
  }

  /** Bytes of the model. */
  public long total() {
    return layers.stream().mapToLong(Layer::size).sum();
  }
}
