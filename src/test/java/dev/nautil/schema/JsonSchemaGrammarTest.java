package dev.nautil.schema;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTimeout;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.nautil.SchemaException;
import dev.nautil.grammar.Grammar;
import dev.nautil.grammar.RandomWalk;
import dev.nautil.grammar.Recognizer;
import java.time.Duration;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

class JsonSchemaGrammarTest {
  private static Recognizer recognizer(String schema) {
    return Recognizer.of(JsonSchemaGrammar.compile(schema)).orElseThrow();
  }

  /** Schema, texts that match, texts that do not; the validator agrees with each. */
  static Stream<Arguments> keywords() {
    return Stream.of(
        of("{'type':'null'}", "null", "0|false|''|[]|{}"),
        of("{'type':'boolean'}", "true|false", "null|1|'true'"),
        of("{'type':'integer'}", "0|-1|1.0|1e2|1E+16|12345678901234567890|1.5e1", "0.5|1e-1|'1'"),
        of("{'type':'number'}", "0|-0.0|1e-07|1E10|1e+16|5e-324|1.7976931348623157e+308", "'1'"),
        of("{'type':['string','null']}", "'x'|null", "1|true"),
        of("{'type':['integer','number']}", "0.5|1", "null"),
        of(
            "{'enum':[1,'a',null,[true],{'k':{}}]}",
            "1|1.0|'a'|null|[ true ]|{'k' : { } }",
            "2|'b'|{}"),
        of("{'const':0.1}", "0.1|0.10", "0.10000000000000002|1"),
        of("{'type':'string','enum':[1,'a','bcd'],'maxLength':2}", "'a'", "1|'bcd'"),
        of("{'minimum':1.5}", "1.5|2|1e9|'x'|null", "1|1.49999|-2|1e-9"),
        of("{'exclusiveMinimum':0}", "1|0.1|5e-324|1e300", "0|-1|0.0|-1e-300"),
        of("{'maximum':100}", "100|1e2|1.0e2|-1e300|99.999", "100.1|101|1e3|1.01e2"),
        of("{'exclusiveMaximum':1}", "0.9999999999999999|0|-1", "1|1.0|1e0|2|1.5"),
        of("{'type':'integer','minimum':-3,'maximum':12}", "-3|0|12|1.2e1|1e1", "-4|13|2e1|-3.5"),
        of("{'type':'integer','minimum':5,'exclusiveMaximum':6}", "5|5.0|5e0", "6|4"),
        of("{'type':'integer','maximum':9007199254740993}", "9007199254740993", "9007199254740994"),
        of(
            "{'minimum':-0.001,'maximum':-0.0001}",
            "-0.001|-1e-3|-1e-4|-0.0005",
            "-0.01|0|-0.00001"),
        of("{'multipleOf':3}", "0|3|-9|123|'a'", "1|100|3.5"),
        of("{'multipleOf':0.01}", "0|1|1.25|19.99|-0.01|1e2", "0.001|1.255"),
        of("{'multipleOf':100,'minimum':1}", "100|1200|1e2", "0|50|110"),
        of("{'allOf':[{'multipleOf':4},{'multipleOf':6}]}", "12|0|24", "4|6|8"),
        of(
            "{'minLength':2,'maxLength':3}",
            "'ab'|'a😀c'|'\\u00e9\\n'|'\\ud83d\\ude00x'|7",
            "'a'|'abcd'|'😀'"),
        of("{'pattern':'^a+$','maxLength':3}", "'a'|'aaa'|'\\u0061'|1", "'aaaa'|'b'|''"),
        of("{'pattern':'b'}", "'b'|'abc'", "''|'ac'"),
        of(
            "{'type':'array','items':{'type':'null'},'minItems':1,'maxItems':3}",
            "[null]|[ null,null , null]",
            "[]|[1]|[null,null,null,null]"),
        of(
            "{'prefixItems':[{'type':'null'},{'type':'boolean'}],'items':false}",
            "[]|[null]|[null,true]|1",
            "[1]|[null,1]|[null,true,1]"),
        of(
            "{'prefixItems':[{'type':'null'}],'minItems':2}",
            "[null,1]|[null,{},'x']",
            "[null]|[1,2]"),
        of("{'items':false}", "[]|{}", "[1]"),
        of(
            "{'properties':{'a':{'type':'null'}},'required':['b']}",
            "{'b':1}|{'b':1,'a':null}|1",
            "{}|{'a':null}|{'b':1,'a':1}"),
        of(
            "{'properties':{'ab':{'type':'null'}}}",
            "{'a':1,'abc':2}|{'ab':null}|{'Ab':1}|{'':1}",
            "{'ab':1}|{'c':1,'ab':2}"),
        of(
            "{'properties':{'\u00e9':{'type':'null'}}}",
            "{'\\u00e9':null}|{'\\u00E8':1}",
            "{'\\u00e9':1}|{'\\u00E9':1}|{'\u00e9':1}"),
        of(
            "{'additionalProperties':false,'properties':{'a':true}}",
            "{}|{'a':[]}",
            "{'b':1}|{'a':1,'b':1}"),
        of(
            "{'additionalProperties':{'type':'integer'},'properties':{'a':{'type':'string'}}}",
            "{'a':'x','b':1}",
            "{'a':1}|{'b':'x'}"),
        of("{'properties':{'a':false}}", "{}|{'b':1}", "{'a':1}"),
        of(
            "{'minProperties':1,'maxProperties':2}",
            "{'x':1}|{'x':1,'y':2}|[]",
            "{}|{'x':1,'y':2,'z':3}"),
        of(
            "{'type':'object','properties':{'a':true,'b':true,'c':true},'additionalProperties':false,'minProperties':2,'required':['b'],'maxProperties':2}",
            "{'a':1,'b':1}|{'b':1,'c':1}",
            "{'b':1}|{'a':1,'c':1}|{'a':1,'b':1,'c':1}"),
        of(
            "{'propertyNames':{'type':'string'},'additionalProperties':{'type':'null'},'type':'object'}",
            "{}|{'a':null}",
            "{'a':1}"),
        of(
            "{'type':'object','required':['k'],'discriminator':{'propertyName':'k'},'oneOf':[{'properties':{'k':{'const':'a'}}},{'properties':{'k':{'enum':['b']},'b':{'type':'null'}}}]}",
            "{'k':'a','b':1}|{'k':'b'}",
            "{'k':'b','b':1}|{'k':'c'}|{}"),
        of("{'anyOf':[{'type':'null'},{'minimum':3}]}", "null|3|'x'", "2"),
        of("{'oneOf':[{'type':'null'},{'type':'integer'}]}", "null|3", "'x'"),
        of("{'anyOf':[{'minimum':3},{'maximum':0}],'type':'integer'}", "3|0|-5", "1|2|'x'"),
        of(
            "{'allOf':[{'required':['a']},{'properties':{'a':{'maximum':3}},'required':['b']}],'type':'object'}",
            "{'a':1,'b':0}",
            "{'a':4,'b':0}|{'a':1}|{'b':1}"),
        of(
            "{'allOf':[{'properties':{'a':true},'additionalProperties':false},{'properties':{'b':true}}]}",
            "{}|{'a':1}",
            "{'b':1}|{'a':1,'b':1}"),
        of(
            "{'properties':{'n':{'$ref':'#'},'v':{'type':'integer'}},'additionalProperties':false,'type':'object'}",
            "{}|{'n':{'n':{'v':1}},'v':2}",
            "{'n':1}|{'n':{'x':1}}"),
        of(
            "{'$ref':'#/$defs/a~1b','maximum':5,'$defs':{'a/b':{'type':'integer'}}}",
            "5|-1",
            "6|0.5"),
        of("{'$ref':'#x','$defs':{'a':{'$anchor':'x','type':'null'}}}", "null", "1"),
        of(
            "{'$id':'https://e.com/s','$ref':'t','$defs':{'a':{'$id':'t','type':'null'}}}",
            "null",
            "1"),
        of(
            "{'$schema':'http://json-schema.org/draft-07/schema#','items':[{'type':'null'}],'additionalItems':false}",
            "[]|[null]",
            "[1]|[null,null]"),
        of(
            "{'$schema':'http://json-schema.org/draft-07/schema#','$ref':'#/definitions/a','type':'null','definitions':{'a':{'type':'integer'}}}",
            "1",
            "null"),
        of(
            "{'format':'date'}",
            "'2024-02-29'|'1999-12-31'|1",
            "'2023-02-29'|'2024-13-01'|'2024-04-31'|'1900-02-29'"),
        of(
            "{'format':'time'}",
            "'00:00:00Z'|'23:59:59.123+14:00'|'01:02:03-00:30'|'01:02:03+00:00'",
            "'24:00:00Z'|'12:00'"),
        of(
            "{'format':'date-time'}",
            "'2024-01-01T00:00:00Z'|'2000-02-29T12:00:00.5-05:30'",
            "'2024-01-01'|'2024-01-01T25:00:00Z'|'2024-01-01T00:00:00-00:00'"),
        of("{'format':'duration'}", "'P1D'|'PT5M'|'P1Y2M3DT4H5M6S'|'P3W'", "'P'|'1D'|'PT'"),
        of("{'format':'email'}", "'a.b+c@example.com'", "'a'|'a@'|'@b.com'|'a..b@c.com'"),
        of("{'format':'hostname'}", "'a.example'|'localhost'", "'-a'|'a_b'|''"),
        of("{'format':'ipv4'}", "'0.0.0.0'|'255.10.9.1'", "'256.0.0.1'|'1.2.3'"),
        of(
            "{'format':'ipv6'}",
            "'::'|'1::2'|'::ffff:1.2.3.4'|'1:2:3:4:5:6:7:8'",
            "'1:2'|'1::2::3'|'12345::'"),
        of(
            "{'format':'uri'}",
            "'http://a.b/c?d#e'|'urn:x:y'|'file:///a'",
            "'a'|'//a'|'http://a b'"),
        of(
            "{'format':'uuid'}",
            "'123e4567-e89b-12d3-a456-426614174000'",
            "'123e4567e89b12d3a456426614174000'"),
        of("{'type':'integer','format':'date'}", "1", "'x'"),
        of("{'type':'string','patternProperties':{'a':false}}", "'x'", "1"),
        of(
            "{'uniqueItems':false,'patternProperties':{},'x-note':1,'not':false,'then':false}",
            "1|[1,1]",
            ""),
        of("true", "1|{'a':[null]}|'x'|[{}]", ""));
  }

  private static Arguments of(String schema, String valid, String invalid) {
    return Arguments.of(schema.replace('\'', '"'), texts(valid), texts(invalid));
  }

  private static List<String> texts(String texts) {
    return texts.isEmpty() ? List.of() : List.of(texts.replace('\'', '"').split("\\|"));
  }

  @ParameterizedTest
  @MethodSource("keywords")
  void acceptsWhatTheValidatorDoes(String schema, List<String> valid, List<String> invalid) {
    Recognizer recognizer = recognizer(schema);
    Oracle oracle = new Oracle(schema);
    for (String text : valid) {
      assertEquals(List.of(), oracle.errors(text), text);
      assertTrue(recognizer.matches(text), text);
    }
    for (String text : invalid) {
      assertTrue(oracle.isInvalid(text), text);
      assertTrue(!recognizer.matches(text), text);
    }
  }

  @ParameterizedTest
  @MethodSource("keywords")
  void whatRandomWalksWriteIsValid(String schema) {
    Oracle oracle = new Oracle(schema);
    List<String> hints = List.of("\"a\":", "\"b\":", "\"c\":", "\"k\":", "b\"");
    RandomWalk walk = new RandomWalk(JsonSchemaGrammar.compile(schema), hints, 5);
    for (int i = 0; i < 100; i++) {
      String text = walk.next(i);
      assertEquals(List.of(), oracle.errors(text), text);
    }
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '~',
      value = {
        "{'properties':{'a/b':{'not':{}}}}|/properties/a~1b/not",
        "{'if':{},'then':{}}|/if",
        "{'patternProperties':{'a':{}}}|/patternProperties",
        "{'propertyNames':{'maxLength':3}}|/propertyNames",
        "{'propertyNames':{'type':['string','null']}}|/propertyNames",
        "{'contains':{}}|/contains",
        "{'uniqueItems':true}|/uniqueItems",
        "{'dependentRequired':{'a':['b']}}|/dependentRequired",
        "{'dependentSchemas':{'a':{}}}|/dependentSchemas",
        "{'dependencies':{'a':['b']}}|/dependencies",
        "{'unevaluatedProperties':false}|/unevaluatedProperties",
        "{'unevaluatedItems':false}|/unevaluatedItems",
        "{'$dynamicRef':'#a'}|/$dynamicRef",
        "{'type':'string','nullable':true}|/nullable",
        "{'unknown':1}|/unknown",
        "{'$schema':'http://json-schema.org/draft-04/schema#'}|/$schema",
        "{'items':[{}]}|/items",
        "{'$ref':'other.json'}|/$ref",
        "{'$ref':'#/$defs/none'}|/$ref",
        "{'$ref':'#none'}|/$ref",
        "{'type':'strin'}|/type",
        "{'type':[]}|/type",
        "{'type':null}|/type",
        "{'type':['string',null]}|/type",
        "{'enum':[]}|/enum",
        "{'enum':1}|/enum",
        "{'minimum':'1'}|/minimum",
        "{'multipleOf':0}|/multipleOf",
        "{'multipleOf':0.0123456}|/multipleOf",
        "{'minLength':-1}|/minLength",
        "{'maxItems':1.5}|/maxItems",
        "{'required':'a'}|/required",
        "{'properties':[]}|/properties",
        "{'properties':{'a':1}}|/properties/a",
        "{'anyOf':[]}|/anyOf",
        "{'pattern':'('}|/pattern",
        "{'pattern':'(?=a)b'}|/pattern",
        "{'format':'regex'}|/format",
        "{'format':'made-up'}|/format",
        "{'type':'string','format':'int64'}|/format",
        "{'type':['string','null'],'format':'double'}|/format",
        "{'minProperties':2}|/minProperties",
        "{'type':'string','minLength':3,'maxLength':2}|/minLength",
        "{'type':'array','minItems':3,'maxItems':2}|/minItems",
        "{'$ref':'#'}|~~",
        "{'anyOf':[{'$ref':'#'},{'type':'null'}]}|~~",
        "{'properties':{'a':{'$ref':'#'}},'required':['a'],'type':'object'}|~~",
        "{'properties':{'l':{'type':'array','minItems':1,'items':{'$ref':'#/properties/l'}}}}|/properties/l",
        "{'type':'integer','minimum':3,'maximum':2}|~~",
        "{'type':'integer','exclusiveMinimum':3,'exclusiveMaximum':4}|~~",
        "{'type':'string','pattern':'^a$','minLength':2}|~~",
        "{'type':'string','enum':[1,2]}|~~",
        "{'required':['a'],'properties':{'a':false},'type':'object'}|~~",
        "false|~~",
        "1|~~",
        "{|~~",
      })
  void refusesWhatCannotBeEnforced(String schema, String pointer) {
    SchemaException e =
        assertThrows(
            SchemaException.class, () -> JsonSchemaGrammar.compile(schema.replace('\'', '"')));
    assertEquals(pointer, e.pointer(), e.getMessage());
  }

  @Test
  void aCycleWithoutAnEndNamesItsWay() {
    String schema =
        "{\"$ref\":\"#/$defs/a\",\"$defs\":{"
            + "\"a\":{\"type\":\"object\",\"required\":[\"to\"],\"properties\":{\"to\":{\"$ref\":\"#/$defs/b\"}}},"
            + "\"b\":{\"type\":\"array\",\"minItems\":1,\"items\":{\"$ref\":\"#/$defs/a\"}}}}";
    SchemaException e =
        assertThrows(SchemaException.class, () -> JsonSchemaGrammar.compile(schema));
    assertEquals("/$defs/a", e.pointer());
    assertTrue(e.getMessage().contains("the property 'to', then item 0"), e.getMessage());
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "{'a':1,'b':2,'a':3}", "'\\ud800'", "'\\udc00\\ud800'", "'\n'", "01", "1.", ".5", "+1",
        "[1,]", "{'a':1,}", "nul", "'a", "[", "1 2", "NaN", ""
      })
  void refusesWhatIsNoJson(String text) {
    String schema = "{\"properties\":{\"a\":true,\"b\":true}}";
    assertTrue(!recognizer(schema).matches(text.replace('\'', '"')), text);
  }

  @Test
  void deepSchemas() {
    ObjectMapper mapper = new ObjectMapper();
    ObjectNode schema = mapper.createObjectNode().put("type", "null");
    int depth = 10_000;
    for (int i = 0; i < depth; i++) {
      ObjectNode outer = mapper.createObjectNode().put("type", "object");
      outer.putObject("properties").set("a", schema);
      outer.putArray("required").add("a");
      schema = outer.put("additionalProperties", false);
    }
    ObjectNode deep = schema;
    Grammar grammar = assertTimeout(Duration.ofSeconds(10), () -> JsonSchemaGrammar.compile(deep));
    Recognizer recognizer = Recognizer.of(grammar).orElseThrow();
    String text = "{\"a\":".repeat(depth) + "null" + "}".repeat(depth);
    assertTrue(recognizer.matches(text));
    assertTrue(!recognizer.matches(text.replace("null", "1")));
  }

  @Test
  void deepErrorsNameTheirPlace() {
    int depth = 3000;
    String schema = "{\"items\":".repeat(depth) + "{\"not\":{}}" + "}".repeat(depth);
    SchemaException e =
        assertThrows(SchemaException.class, () -> JsonSchemaGrammar.compile(schema));
    assertEquals("/items".repeat(depth) + "/not", e.pointer());
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void manyProperties(boolean open) {
    ObjectMapper mapper = new ObjectMapper();
    ObjectNode schema = mapper.createObjectNode().put("type", "object");
    ObjectNode properties = schema.putObject("properties");
    for (int i = 0; i < 5000; i++) {
      properties.putObject("property" + i).put("type", "integer");
    }
    schema.putArray("required").add("property4999");
    schema.put("additionalProperties", open);
    Recognizer recognizer =
        assertTimeout(
            Duration.ofSeconds(20),
            () -> Recognizer.of(JsonSchemaGrammar.compile(schema)).orElseThrow());
    assertTrue(recognizer.matches("{\"property12\": 3, \"property4999\":1}"));
    assertTrue(!recognizer.matches("{\"property12\": 3}"));
    assertEquals(open, recognizer.matches("{\"property5000\": 3, \"property4999\":1}"));
  }

  @Test
  void manyValues() {
    ObjectNode schema = new ObjectMapper().createObjectNode();
    ArrayNode values = schema.putArray("enum");
    for (int i = 0; i < 50_000; i++) {
      values.add("größe " + i * 7919L).add(i);
    }
    Recognizer recognizer =
        assertTimeout(
            Duration.ofSeconds(20),
            () -> Recognizer.of(JsonSchemaGrammar.compile(schema)).orElseThrow());
    for (String text : List.of("\"größe 7919\"", "\"gr\\u00f6ße 79190\"", "49999", "1.0")) {
      assertTrue(recognizer.matches(text), text);
    }
    for (String text : List.of("\"größe 7918\"", "\"größe\"", "\"größe 0", "50000", "1.5")) {
      assertTrue(!recognizer.matches(text), text);
    }
  }

  @Test
  void anyOfBesideAnyOfIsBounded() {
    String choice = "{\"anyOf\":[{\"minimum\":1},{\"maximum\":3}]}";
    String schema = "{\"allOf\":[" + (choice + ",").repeat(29) + choice + "]}";
    SchemaException e =
        assertThrows(SchemaException.class, () -> JsonSchemaGrammar.compile(schema));
    assertTrue(e.getMessage().contains("cases"), e.getMessage());
  }
}
