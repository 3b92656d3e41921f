package dev.nautil.json;

import static org.junit.jupiter.api.Assertions.assertDoesNotThrow;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.annotation.JsonFormat;
import com.fasterxml.jackson.annotation.JsonIgnore;
import com.fasterxml.jackson.annotation.JsonProperty;
import com.fasterxml.jackson.annotation.JsonProperty.Access;
import com.fasterxml.jackson.annotation.JsonTypeInfo;
import com.fasterxml.jackson.annotation.JsonUnwrapped;
import com.fasterxml.jackson.annotation.JsonValue;
import com.fasterxml.jackson.databind.JavaType;
import dev.nautil.UnsupportedTypeException;
import dev.nautil.annotation.Param;
import dev.nautil.grammar.RandomWalk;
import dev.nautil.schema.JsonSchemaGrammar;
import java.math.BigDecimal;
import java.math.BigInteger;
import java.net.URI;
import java.time.Duration;
import java.time.Instant;
import java.time.LocalDate;
import java.time.LocalDateTime;
import java.time.LocalTime;
import java.time.OffsetDateTime;
import java.time.Period;
import java.time.YearMonth;
import java.time.ZoneId;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import java.util.UUID;
import java.util.function.Supplier;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

class TypeSchemaTest {
  enum Unit {
    CELSIUS,
    @JsonProperty("°F")
    FAHRENHEIT {}
  }

  record Place(@Param(description = "In English") String city, @Nullable String country) {}

  record Query(
      @Param(name = "where", description = "One place") Place place,
      List<Place> more,
      Set<Unit> units,
      Map<String, BigDecimal> limits,
      Map<Unit, Integer> perUnit,
      Optional<LocalDate> day,
      OptionalInt hours,
      int[] ids,
      boolean brief) {}

  record Pair<A, B>(A first, List<B> second) {}

  record Pairs(Pair<String, Integer> a, Pair<Unit, Optional<Boolean>> b) {}

  record Tree(int value, List<Tree> children, @Nullable Tree parent) {}

  record Forest(Tree best, Tree oldest) {}

  record Times(
      Instant instant,
      OffsetDateTime offset,
      LocalDate date,
      LocalTime time,
      LocalDateTime dateTime,
      YearMonth month,
      Duration duration,
      Period period,
      UUID uuid) {}

  record Numbers(byte b, short s, int i, long l, BigInteger big, double d, Float f, char c) {}

  public static final class Bean {
    public String name = "";
    private int age;

    public void setAge(int age) {
      this.age = age;
    }
  }

  record Nothing() {}

  private static String schema(Class<?> type) {
    return JsonValues.write(TypeSchema.of(type, false)).replace('"', '\'');
  }

  private static Object read(String json, Class<?> type) {
    JavaType javaType = JsonValues.types().constructType(type);
    return JsonValues.read(JsonValues.parse(json.replace('\'', '"')), javaType);
  }

  @Test
  void describesRecords() {
    String place =
        "{'type':'object','properties':{'city':{'type':'string','description':'In English'},"
            + "'country':{'type':'string'}},'required':['city'],'additionalProperties':false}";
    assertEquals(place, schema(Place.class));
    assertEquals(
        "{'type':'object','properties':{"
            + "'where':{'$ref':'#/$defs/Place','description':'One place'},"
            + "'more':{'type':'array','items':{'$ref':'#/$defs/Place'}},"
            + "'units':{'type':'array','items':{'type':'string','enum':['CELSIUS','°F']}},"
            + "'limits':{'type':'object','additionalProperties':{'type':'number'}},"
            + "'perUnit':{'type':'object','properties':{'CELSIUS':{'type':'integer'},"
            + "'°F':{'type':'integer'}},'additionalProperties':false},"
            + "'day':{'type':'string','format':'date'},'hours':{'type':'integer'},"
            + "'ids':{'type':'array','items':{'type':'integer'}},'brief':{'type':'boolean'}},"
            + "'required':['where','more','units','limits','perUnit','ids','brief'],"
            + "'additionalProperties':false,'$defs':{'Place':"
            + place
            + "}}",
        schema(Query.class));
    assertEquals(
        "{'type':'object','properties':{},'additionalProperties':false}", schema(Nothing.class));
    assertEquals(
        "{'type':'object','properties':{'name':{'type':'string'},'age':{'type':'integer'}},"
            + "'required':['name','age'],'additionalProperties':false}",
        schema(Bean.class).replaceAll("('age':.*?}),('name':.*?})}", "$2,$1}"));
  }

  @Test
  void resolvesTypeArguments() {
    assertEquals(
        "{'type':'object','properties':{"
            + "'a':{'type':'object','properties':{'first':{'type':'string'},"
            + "'second':{'type':'array','items':{'type':'integer'}}},"
            + "'required':['first','second'],'additionalProperties':false},"
            + "'b':{'type':'object','properties':{'first':{'type':'string','enum':['CELSIUS','°F']},"
            + "'second':{'type':'array','items':{'anyOf':[{'type':'boolean'},{'type':'null'}]}}},"
            + "'required':['first','second'],'additionalProperties':false}},"
            + "'required':['a','b'],'additionalProperties':false}",
        schema(Pairs.class));
  }

  @Test
  void refersToRecursiveRecords() {
    String tree =
        "{'type':'object','properties':{'value':{'type':'integer'},"
            + "'children':{'type':'array','items':{'$ref':'#/$defs/Tree'}},"
            + "'parent':{'$ref':'#/$defs/Tree'}},'required':['value','children'],"
            + "'additionalProperties':false";
    assertEquals(tree + ",'$defs':{'Tree':" + tree + "}}}", schema(Tree.class));
    assertTrue(schema(Forest.class).endsWith("'$defs':{'Tree':" + tree + "}}}"));
  }

  @Test
  void saysHowFarNumbersGoWhereItIsWanted() {
    String strict = JsonValues.write(TypeSchema.of(Numbers.class, true)).replace('"', '\'');
    for (String part :
        List.of(
            "'b':{'type':'integer','minimum':-128,'maximum':127}",
            "'s':{'type':'integer','minimum':-32768,'maximum':32767}",
            "'i':{'type':'integer','minimum':-2147483648,'maximum':2147483647}",
            "'l':{'type':'integer','minimum':-9223372036854775808,'maximum':9223372036854775807}",
            "'big':{'type':'integer'}",
            "'d':{'type':'number'}",
            "'f':{'type':'number','minimum':-3.4028234663852886E38,"
                + "'maximum':3.4028234663852886E38}",
            "'c':{'type':'string','pattern':'^([\\\\u0000-\\\\uD7FF\\\\uE000-\\\\uFFFF])$'}")) {
      assertTrue(strict.contains(part), part + " in " + strict);
    }
    assertTrue(schema(Numbers.class).contains("'i':{'type':'integer'}"));
  }

  @Test
  void readsWhatItWrites() {
    Object[] values = {
      new Query(
          new Place("Oslo", null),
          List.of(new Place("Bergen", "Norway")),
          Set.of(Unit.FAHRENHEIT),
          Map.of("max", new BigDecimal("1.50")),
          Map.of(Unit.CELSIUS, 3),
          Optional.of(LocalDate.of(2024, 2, 29)),
          OptionalInt.empty(),
          new int[] {1, 2},
          true),
      new Times(
          Instant.parse("2024-05-06T07:08:09.5Z"),
          OffsetDateTime.parse("2024-05-06T07:08:09+02:00"),
          LocalDate.of(2024, 5, 6),
          LocalTime.of(7, 8, 9),
          LocalDateTime.of(2024, 5, 31, 7, 8, 9),
          YearMonth.of(2024, 5),
          Duration.ofSeconds(3661),
          Period.of(1, 2, 3),
          new UUID(1, 2)),
      new Numbers((byte) -1, (short) 2, 3, Long.MIN_VALUE, BigInteger.TEN.pow(30), 0.5, 1.5f, 'ü'),
      new Tree(1, List.of(new Tree(2, List.of(), null)), null),
    };
    for (Object value : values) {
      String json = JsonValues.write(value);
      String again = JsonValues.write(read(json, value.getClass()));
      assertEquals(json, again);
      Map<String, Object> schema = TypeSchema.of(value.getClass(), true);
      assertEquals(List.of(), ArgumentCheck.problems(JsonValues.parse(json), schema));
    }
    Place place = (Place) read("{'city':'Oslo'}", Place.class);
    assertEquals(new Place("Oslo", null), place);
    Query query =
        (Query)
            read(
                "{'where':{'city':'x'},'more':[],'units':[],'limits':{},'perUnit':{},'ids':[],"
                    + "'brief':false}",
                Query.class);
    assertEquals(Optional.empty(), query.day);
    assertEquals(OptionalInt.empty(), query.hours);
  }

  record Names(URI uri, ZoneId zone, Locale locale, Character letter, BigInteger big) {}

  record Gaps(
      List<Optional<Integer>> list,
      Map<String, List<Optional<String>>> map,
      Optional<List<Optional<Boolean>>> optional) {}

  public static final class GapBean {
    private List<Optional<Integer>> list = List.of();

    public List<Optional<Integer>> getList() {
      return list;
    }

    public void setList(List<Optional<Integer>> list) {
      this.list = list;
    }
  }

  @Test
  void readsWhatARandomModelWrites() {
    List<Class<?>> types =
        List.of(
            Query.class,
            Pairs.class,
            Times.class,
            Numbers.class,
            Names.class,
            Gaps.class,
            GapBean.class,
            char.class,
            URI.class);
    for (Class<?> type : types) {
      String schema = JsonValues.write(TypeSchema.of(type, true));
      List<String> hints = new ArrayList<>(List.of("null", "1e50", "\"a\":", "\"Z\"", "00Z\""));
      Matcher names = Pattern.compile("\"[^\"]*\"").matcher(schema);
      names.results().forEach(name -> hints.addAll(List.of(name.group(), name.group() + ":")));
      RandomWalk walk = new RandomWalk(JsonSchemaGrammar.compile(schema), hints, 1);
      for (int i = 0; i < 200; i++) {
        String json = walk.next(i);
        assertDoesNotThrow(() -> JsonValues.read(json, type), () -> type + " " + json);
      }
    }
  }

  @Test
  void aGapInAListIsAnEmptyOptional() {
    Gaps gaps = (Gaps) read("{'list':[1,null],'map':{'a':[null]},'optional':[null]}", Gaps.class);
    assertEquals(List.of(Optional.of(1), Optional.empty()), gaps.list);
    assertEquals(Map.of("a", List.of(Optional.empty())), gaps.map);
    assertEquals(Optional.of(List.of(Optional.empty())), gaps.optional);
  }

  @Test
  void refusesWhatIsNotDescribed() {
    for (String json :
        List.of(
            "{}",
            "{'city':null}",
            "{'city':'x','town':'y'}",
            "{'city':{}}",
            "{'city':3}",
            "{'city':1.5}",
            "{'city':true}",
            "{'city':'x'} more",
            "[1]",
            "{'city':")) {
      InvalidJsonException e =
          assertThrows(InvalidJsonException.class, () -> read(json, Place.class), json);
      assertTrue(!e.getMessage().contains("\n"), e.getMessage());
    }
    String numbers = "{'b':1,'s':1,'i':%s,'l':1,'big':1,'d':1,'f':1,'c':'x'}";
    for (String i : List.of("1.5", "3000000000", "null", "[]", "''", "'5'", "true")) {
      assertThrows(
          InvalidJsonException.class, () -> read(numbers.replace("%s", i), Numbers.class), i);
    }
    for (String no : List.of("'b':200", "'b':-129", "'d':1e999", "'d':-1e309", "'f':1e39")) {
      String json = numbers.replace("%s", "1").replaceAll(no.substring(0, 4) + "1", no);
      InvalidJsonException e =
          assertThrows(InvalidJsonException.class, () -> read(json, Numbers.class), json);
      assertTrue(e.getMessage().startsWith(no.charAt(1) + ": "), e.getMessage());
    }
    for (Map.Entry<Class<?>, String> no :
        List.<Map.Entry<Class<?>, String>>of(
            Map.entry(double.class, "'1.5'"),
            Map.entry(Double.class, "true"),
            Map.entry(BigInteger.class, "'1'"),
            Map.entry(BigDecimal.class, "'1'"),
            Map.entry(boolean.class, "'true'"),
            Map.entry(Boolean.class, "1"),
            Map.entry(char.class, "65"),
            Map.entry(Unit.class, "0"))) {
      assertThrows(
          InvalidJsonException.class, () -> read(no.getValue(), no.getKey()), no.toString());
    }
    assertThrows(InvalidJsonException.class, () -> read("[1,200]", byte[].class));
    assertThrows(InvalidJsonException.class, () -> read("[1e39]", float[].class));
    assertEquals(Double.MAX_VALUE, read("1.7976931348623157e308", double.class));
    assertThrows(
        InvalidJsonException.class, () -> read("{'value':1,'children':[null]}", Tree.class));
    InvalidJsonException deep =
        assertThrows(
            InvalidJsonException.class,
            () -> read("{'value':1,'children':[{'value':'x','children':[]}]}", Tree.class));
    assertTrue(deep.getMessage().startsWith("children[0].value: "), deep.getMessage());
  }

  record Raw(List<?> list) {}

  @SuppressWarnings("rawtypes")
  record RawMap(Map map) {}

  @SuppressWarnings("rawtypes")
  record RawOptional(List<Optional> list) {}

  record AnyThing(Object any) {}

  record Running(Thread thread) {}

  record Lazy(Supplier<String> later) {}

  record Keyed(Map<Integer, String> byNumber) {}

  record Endless(String name, Endless next) {}

  record Egg(Hen hen) {}

  record Hen(Optional<Tree> tree, Egg egg) {}

  record Unknown(Pair<?, String> pair) {}

  interface Shape {}

  record Drawn(Shape[] shapes) {}

  enum Empty {}

  record None(Empty none) {}

  record Closing(AutoCloseable c) {}

  @JsonTypeInfo(use = JsonTypeInfo.Id.NAME)
  sealed interface Animal permits Cat {}

  record Cat(int lives) implements Animal {}

  record Owner(Cat cat) {}

  record Pets(List<Animal> pets) {}

  record Email(@JsonValue String text) {}

  @JsonFormat(shape = JsonFormat.Shape.ARRAY)
  record Row(int x, int y) {}

  record Hidden(String open, @JsonIgnore String hidden) {}

  record Given(String open, @JsonProperty(access = Access.READ_ONLY) String given) {}

  record German(@JsonFormat(pattern = "dd.MM.yyyy") LocalDate day) {}

  record Flat(@JsonUnwrapped Place place) {}

  public static final class Doubtful {
    public void setAge(int age) {}

    public void setAge(boolean age) {}
  }

  @JsonFormat(shape = JsonFormat.Shape.NUMBER)
  enum Level {
    LOW
  }

  record Levels(Level level) {}

  @Test
  void namesWhatCannotBeDescribed() {
    Map<Class<?>, String> culprits =
        Map.ofEntries(
            Map.entry(Raw.class, "Raw.list: java.util.List"),
            Map.entry(RawMap.class, "RawMap.map: java.util.Map"),
            Map.entry(RawOptional.class, "RawOptional.list[]: java.util.Optional"),
            Map.entry(AnyThing.class, "AnyThing.any: java.lang.Object"),
            Map.entry(Running.class, "Running.thread: java.lang.Thread"),
            Map.entry(Lazy.class, "Lazy.later: java.util.function.Supplier"),
            Map.entry(Keyed.class, "Keyed.byNumber: java.util.Map"),
            Map.entry(Endless.class, "Endless: Endless"),
            Map.entry(Egg.class, "Egg: Egg"),
            Map.entry(Unknown.class, "Unknown.pair.first: java.lang.Object"),
            Map.entry(Drawn.class, "Drawn.shapes[]: " + Shape.class.getTypeName()),
            Map.entry(None.class, "None.none: " + Empty.class.getTypeName()),
            Map.entry(Closing.class, "Closing.c: java.lang.AutoCloseable"),
            Map.entry(Cat.class, "Cat: " + Cat.class.getTypeName()),
            Map.entry(Owner.class, "Owner.cat: " + Cat.class.getTypeName()),
            Map.entry(Pets.class, "Pets.pets[]: " + Animal.class.getTypeName()),
            Map.entry(Email.class, "Email: " + Email.class.getTypeName()),
            Map.entry(Row.class, "Row: " + Row.class.getTypeName()),
            Map.entry(Hidden.class, "Hidden: " + Hidden.class.getTypeName()),
            Map.entry(Given.class, "Given: " + Given.class.getTypeName()),
            Map.entry(German.class, "German.day: java.time.LocalDate"),
            Map.entry(Flat.class, "Flat.place: " + Place.class.getTypeName()),
            Map.entry(Doubtful.class, "Doubtful: " + Doubtful.class.getTypeName()),
            Map.entry(Levels.class, "Levels.level: " + Level.class.getTypeName()));
    culprits.forEach(
        (type, culprit) -> {
          UnsupportedTypeException e =
              assertThrows(UnsupportedTypeException.class, () -> TypeSchema.of(type, false));
          assertTrue(e.getMessage().startsWith(culprit + " "), e.getMessage());
        });
    assertThrows(UnsupportedTypeException.class, () -> TypeSchema.of(Runnable.class, false));
  }

  /** Java reads each text that a pattern allows. */
  @Test
  void patternsAreWhatJavaReads() {
    Map<Class<?>, List<String>> texts =
        Map.of(
            LocalTime.class, List.of("00:00:00", "23:59:59", "24:00:00", "7:00:00", "07:00"),
            LocalDateTime.class,
                List.of(
                    "2023-02-28T01:02:03",
                    "2023-02-29T01:02:03",
                    "2023-04-30T00:00:00",
                    "2023-04-31T00:00:00",
                    "2023-12-31T00:00:00",
                    "2023-13-01T00:00:00"),
            Duration.class,
                List.of(
                    "PT1H",
                    "P1D",
                    "P1DT2H3M4.5S",
                    "PT",
                    "P",
                    "P1DT",
                    "PT5S",
                    "P1Y",
                    "PT1M1S",
                    "PT1H1S",
                    "1h"),
            Period.class, List.of("P1Y", "P1Y2M3D", "P2M", "P3D", "P1W", "P", "P1DT1H", "P1Y3D"),
            YearMonth.class, List.of("2024-01", "2024-12", "2024-13", "2024-00", "24-01"));
    texts.forEach(
        (type, list) -> {
          String pattern = (String) TypeSchema.of(type, true).get("pattern");
          long accepted = list.stream().filter(text -> text.matches(pattern)).count();
          assertTrue(accepted > 1 && accepted < list.size(), type + " " + accepted);
          for (String text : list) {
            if (text.matches(pattern)) {
              assertEquals(type, read("'" + text + "'", type).getClass(), text + " of " + type);
            }
          }
        });
  }

  @Test
  void anIntegerMayBeWrittenWithAPointOrAnExponent() {
    JavaType number = JsonValues.types().constructType(int.class);
    assertEquals(100, JsonValues.read(JsonValues.parse("1e2"), number));
    assertEquals(7, JsonValues.read(JsonValues.parse("7.00"), number));
    for (String no : List.of("7.5", "1e99", "1e999999999", "-1e-999999999")) {
      assertThrows(
          InvalidJsonException.class, () -> JsonValues.read(JsonValues.parse(no), number), no);
    }
  }
}
