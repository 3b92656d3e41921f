package dev.nautil.template;

import java.util.Collection;

/**
 * How deep a value nests and how many values it holds when shared parts are counted each time they
 * are reached.
 *
 * <p>Containers cannot change once made, so both are known then, and a limit on them bounds every
 * later walk (printing, comparing, hashing): a list doubled into itself sixty times is refused
 * while it is built rather than when it is printed.
 */
record Shape(int depth, long weight) {
  private static final int MAX_DEPTH = 200;
  private static final long MAX_WEIGHT = 2_000_000;
  static final Shape LEAF = new Shape(0, 1);

  static Shape of(Collection<?> parts) {
    int depth = 0;
    long weight = 1;
    for (Object part : parts) {
      Shape shape = of(part);
      depth = Math.max(depth, shape.depth);
      weight += shape.weight;
    }
    return checked(depth + 1, weight);
  }

  static Shape of(Object value) {
    if (value instanceof Seq s) {
      return s.shape;
    } else if (value instanceof DictValue d) {
      return d.shape();
    } else if (value instanceof IterValue i) {
      return i.shape;
    } else if (value instanceof Method m) {
      return of(m.self());
    }
    return LEAF;
  }

  /** The shape of a container of one such value. */
  Shape around() {
    return checked(depth + 1, weight + 1);
  }

  Shape plus(Shape other) {
    return checked(Math.max(depth, other.depth + 1), weight + other.weight);
  }

  private static Shape checked(int depth, long weight) {
    if (depth > MAX_DEPTH) {
      throw new Fail("a value nests more than " + MAX_DEPTH + " deep: depth limit");
    }
    if (weight > MAX_WEIGHT) {
      throw new Fail("a value holds more than " + MAX_WEIGHT + " values: memory limit");
    }
    return new Shape(depth, weight);
  }
}
