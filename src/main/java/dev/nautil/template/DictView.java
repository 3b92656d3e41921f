package dev.nautil.template;

import java.util.AbstractCollection;
import java.util.Iterator;

/** What {@code keys()}, {@code values()} and {@code items()} of a dict return. */
final class DictView extends AbstractCollection<Object> {
  enum Kind {
    KEYS,
    VALUES,
    ITEMS
  }

  final DictValue dict;
  final Kind kind;

  DictView(DictValue dict, Kind kind) {
    this.dict = dict;
    this.kind = kind;
  }

  @Override
  public int size() {
    return dict.size();
  }

  @Override
  public Iterator<Object> iterator() {
    Iterator<DictValue.Entry> entries = dict.entries().iterator();
    return new Iterator<>() {
      @Override
      public boolean hasNext() {
        return entries.hasNext();
      }

      @Override
      public Object next() {
        DictValue.Entry e = entries.next();
        return switch (kind) {
          case KEYS -> e.key();
          case VALUES -> e.value();
          case ITEMS -> Seq.TupleValue.of(e.key(), e.value());
        };
      }
    };
  }
}
