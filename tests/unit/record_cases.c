/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "record_cases.h"

#include "election_fixture.h"


#define UNITS    "hesabu/units/v1\n"
#define CONTESTS "hesabu/contests/v1\n"
#define DRAWS    "hesabu/audit-draws/v1\n"
#define ONE      "{\"choices\":[{\"id\":\"a\",\"name\":\"A\"}],\"id\":\"one\",\"kind\":\"k\",\"name\":\"N\","

/* Rows of constituency 11 and 12 in the president's contest, as somebody writes them down. */
#define ROWS "hesabu/collation/v1\n"
#define P1   "[\"1101\",null,530,3,350,[200,100,50]]\n"
#define P2   "[\"1102\",null,540,3,353,[101,201,51]]\n"
#define P3   "[\"1104\",null,300,null,null,[null,null,null]]\n"
#define P4   "[\"1201\",null,570,null,null,[null,null,null]]\n"
#define P5   "[\"1202\",null,580,3,315,[7,8,300]]\n"

/* And as they are. */
#define E1 "[\"1101\",\"${id:r1101}\",530,3,350,[200,100,50]]\n"
#define E2 "[\"1102\",\"${id:r1102b}\",540,3,353,[101,201,51]]\n"
#define E5 "[\"1202\",\"${id:r1202}\",580,3,315,[7,8,300]]\n"
#define E6 "[\"2101\",\"${id:r2101}\",610,3,320,[60,60,200]]\n"
#define E7 "[\"2102\",null,620,null,null,[null,null,null]]\n"
#define E8 "[\"2103\",null,630,null,null,[null,null,null]]\n"

const struct fx_named fx_named[] = {
    {"u-ok", UNITS "[\"1105\",\"station\",\"NEW\",\"11\",10]\n[\"13\",\"constituency\",\"C\",\"1\",10]\n"
                   "[\"1301\",\"station\",\"NEWER\",\"13\",10]\n"},
    {"u-head", "hesabu/units/v2\n[\"1105\",\"station\",\"NEW\",\"11\",10]\n"},
    {"u-cut", UNITS "[\"1105\",\"station\",\"NEW\",\"11\",10]"},
    {"u-four", UNITS "[\"1105\",\"station\",\"NEW\",\"11\"]\n"},
    {"u-six", UNITS "[\"1105\",\"station\",\"NEW\",\"11\",10,1]\n"},
    {"u-twice", UNITS "[\"1101\",\"station\",\"NEW\",\"11\",10]\n"},
    {"u-orphan", UNITS "[\"1105\",\"station\",\"NEW\",\"99\",10]\n"},
    {"u-root", UNITS "[\"1105\",\"station\",\"NEW\",null,10]\n"},
    {"u-level", UNITS "[\"1105\",\"village\",\"NEW\",\"11\",10]\n"},
    {"u-above", UNITS "[\"3\",\"county\",\"NEW\",\"11\",10]\n"},
    {"u-below", UNITS "[\"3\",\"station\",\"NEW\",\"1101\",10]\n"},
    {"u-code", UNITS "[\"11 5\",\"station\",\"NEW\",\"11\",10]\n"},
    {"u-file", UNITS "[\"findings\",\"station\",\"NEW\",\"11\",10]\n"},
    {"u-big", UNITS "[\"1105\",\"station\",\"NEW\",\"11\",1000000000]\n"},
    {"u-bidi", UNITS "[\"1105\",\"station\",\"NEW\xe2\x80\xae\",\"11\",10]\n"},
    {"u-space", UNITS "[\"1105\", \"station\",\"NEW\",\"11\",10]\n"},
    {"c-ok", CONTESTS ONE "\"rule\":null,\"unit\":\"11\"}\n"},
    {"c-head", "hesabu/contests/v9\n" ONE "\"rule\":null,\"unit\":\"11\"}\n"},
    {"c-twice", CONTESTS "{\"choices\":[{\"id\":\"a\",\"name\":\"A\"}],\"id\":\"president\",\"kind\":\"k\","
                         "\"name\":\"N\",\"rule\":null,\"unit\":\"11\"}\n"},
    {"c-path", CONTESTS "{\"choices\":[{\"id\":\"a\",\"name\":\"A\"}],\"id\":\"../x\",\"kind\":\"k\","
                        "\"name\":\"N\",\"rule\":null,\"unit\":\"11\"}\n"},
    {"c-unit", CONTESTS ONE "\"rule\":null,\"unit\":\"99\"}\n"},
    {"c-station", CONTESTS ONE "\"rule\":null,\"unit\":\"1101\"}\n"},
    {"c-deep", CONTESTS ONE "\"rule\":[[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]],\"unit\":\"11\"}\n"},
    {"c-none", CONTESTS "{\"choices\":[],\"id\":\"one\",\"kind\":\"k\",\"name\":\"N\",\"rule\":null,"
                        "\"unit\":\"11\"}\n"},
    {"c-same", CONTESTS "{\"choices\":[{\"id\":\"a\",\"name\":\"A\"},{\"id\":\"a\",\"name\":\"B\"}],"
                        "\"id\":\"one\",\"kind\":\"k\",\"name\":\"N\",\"rule\":null,\"unit\":\"11\"}\n"},
    {"rows", ROWS P1 P2 P3 P4 P5},
    {"rows-e", ROWS E1 E2 P3 P4 E5 E6 E7 E8},
    {"rows-e-foreign", ROWS E1 E2 P3 P4 E5 E6 E7 E8 "[\"11\",null,1,null,null,[null,null,null]]\n"},
    {"rows-e-missing", ROWS E1 E2 P3 P4 E5 E6 E7},
    {"rows-e-twice", ROWS E1 E1 P3 P4 E5 E6 E7 E8},
    {"rows-e-off", ROWS E1 E2 P3 P4 E5 "[\"2101\",\"${id:r2101}\",610,3,320,[60,61,200]]\n" E7 E8},
    {"rows-e-zero", ROWS E1 E2 P3 "[\"1201\",null,570,0,null,[null,null,null]]\n" E5 E6 E7 E8},
    {"rows-e-old", ROWS E1 "[\"1102\",\"${id:r1102a}\",540,3,353,[101,201,51]]\n" P3 P4 E5 E6 E7 E8},
    {"rows-e-unnamed", ROWS P1 E2 P3 P4 E5 E6 E7 E8},
    {"rows-e-unheld", ROWS E1 E2 P3 "[\"1201\",\"${id:r1201a}\",570,null,null,[null,null,null]]\n" E5 E6 E7 E8},
    {"rows-head21", ROWS "[\"2101\",\"${id:h2101}\",610,3,130,[70,60]]\n"
                    "[\"2102\",null,620,null,null,[null,null]]\n[\"2103\",null,630,null,null,[null,null]]\n"},
    {"rows-twice", ROWS P1 P1 P2 P3 P4 P5},
    {"rows-missing", ROWS P1 P2 P4 P5},
    {"rows-order", ROWS P2 P1 P3 P4 P5},
    {"rows-foreign", ROWS P1 P2 P3 P4 P5 "[\"KE\",null,1,null,null,[1,2,3]]\n"},
    {"rows-unknown", ROWS P1 P2 P3 P4 P5 "[\"99\",null,1,null,null,[1,2,3]]\n"},
    {"rows-short", ROWS "[\"1101\",null,530,3,350,[200,100]]\n" P2 P3 P4 P5},
    {"rows-long", ROWS "[\"1101\",null,530,3,350,[200,100,50,0]]\n" P2 P3 P4 P5},
    {"rows-five", ROWS "[\"1101\",null,530,3,350]\n"},
    {"rows-head", "hesabu/collation/v2\n" P1},
    {"rows-cut", ROWS "[\"1101\",null,530,3,350,[200,100,50]]"},
    {"rows-space", ROWS "[\"1101\", null,530,3,350,[200,100,50]]\n"},
    {"rows-id", ROWS "[\"1101\",\"0000000000000000000000000000000000000000000000000000000000000000\",530,3,350,[200,100,50]]\n"},
    {"d-ok", DRAWS "1101\n2102\n1201\n"},
    {"d-head", "hesabu/audit-draws/v2\n1101\n"},
    {"d-cut", DRAWS "1101"},
    {"d-none", DRAWS ""},
    {"d-twice", DRAWS "1101\n1102\n1101\n"},
    {"d-unit", DRAWS "1101\n9999\n"},
    {"d-county", DRAWS "1101\n12\n"},
    {NULL, NULL}};

#define RS(contest, def, round, station, votes)                                                    \
    "result {'ballots':{'rejected':1,'valid':6},'basis':'station','contest':'" contest             \
    "','definition':" def ",'election':'${e}','round':" round ",'signed_ms':1,'station':'" station \
    "','votes':{" votes "}}"
#define ABC            "'ann':1,'bo':2,'cy':3"
#define PRES(station)  RS("president", "2", "1", station, ABC)
#define HEAD(basis)                                                                                \
    "result {'ballots':{'rejected':1,'valid':6},'basis':'" basis                                   \
    "','contest':'president','definition':2,'election':'${e}',"
#define TAIL(station)  "'signed_ms':1,'station':'" station "','votes':{" ABC "}}"
#define FORM           "'form':['${h:page 1}'],"
#define PAPER(station) HEAD("paper") FORM "'round':1," TAIL(station)
#define KEY(name, role, unit, party)                                                               \
    "key {'election':'${e}','holder':'${h:" name "}','key':'${v:" name                             \
    "}','not_after_ms':9007199254740991,'not_before_ms':0," party "'role':'" role "','unit':'" unit "'}"
#define KEYC(contests, name, role, unit)                                                           \
    "key {'contests':[" contests "],'election':'${e}','holder':'${h:" name "}','key':'${v:" name   \
    "}','not_after_ms':9007199254740991,'not_before_ms':0,'role':'" role "','unit':'" unit "'}"
#define REVOKE(key, more) "revoke {'election':'${e}','key':'" key "','reason':'stolen'" more "}"
#define ACTING(deputy, officer, unit)                                                              \
    "acting {'deputy':'" deputy "','election':'${e}','for':'" officer                              \
    "','reason':'died','unit':'" unit "'}"
#define SIGNATURES(lines, record)                                                                  \
    "signatures {'election':'${e}','lines':[" lines "],'record':'" record "'}"
#define COUNTERSIGN(key, record, says)                                                             \
    "countersign {'election':'${e}','how':'device','key':'" key "','record':'" record              \
    "','says':'" says "'}"
#define IMAGE(contest, kind, masked, page, result, round, station, zones)                          \
    "image {'contest':'" contest "','election':'${e}','kind':'" kind "','masked':[" masked         \
    "],'original':${o:an image},'page':" page ",'public':${o:a masked image}," result              \
    "'round':" round ",'station':'" station "'" zones "}"
#define EVENT(contest, event, station, more)                                                       \
    "station-event {'at_ms':1," contest "'election':'${e}','event':'" event "','station':'" station \
    "'" more "}"
#define INCIDENT(rows) "incident {'election':'${e}','rows':[" rows "]}"
#define ROW(class, code, count, first, key, last, note, type)                                      \
    "{'class':'" class "','code':'" code "','count':" count ",'first_ms':" first ",'key':'" key    \
    "','last_ms':" last "," note "'type':'" type "'}"
#define AMEND(changes)                                                                             \
    "amend {'changes':[" changes "],'definition':3,'election':'${e}'}"
#define ROUND3(choices, contest, round)                                                            \
    "{'round':{'choices':[" choices "],'contest':'" contest "','round':" round "}}"
#define OBJECTION(contest, evidence, ground, round, units)                                         \
    "objection {'contest':'" contest "','election':'${e}','evidence':[" evidence "],'ground':'"    \
    ground "','reason':${o:my reason},'round':" round ",'units':[" units "]}"
#define ADMISSION(answer, objection, more, says)                                                   \
    "admission {" answer "'election':'${e}','objection':'${id:" objection "}'," more "'says':'" says "'}"
#define RULING(objection, more, says)                                                              \
    "ruling {'election':'${e}','objection':'${id:" objection "}'," more "'says':'" says "'}"
#define ORDER "'order':${o:a court's order},"
#define RECOUNT(basis, contest, supersedes, votes)                                                 \
    "result {'ballots':{},'basis':'" basis "','contest':'" contest "','definition':2,'election':'${e}'," FORM \
    "'recount':${o:an order},'round':1,'signed_ms':1,'station':'1102'," supersedes "'votes':{" votes "}}"
#define SEAL(key, contest, image, round, seal, station)                                            \
    "seal {'contest':'" contest "','election':'${e}','image':'" image "','key':'" key "','round':" round \
    ",'seal':'" seal "','station':'" station "'}"
#define SEAL1102(key, nonce) SEAL(key, "president", "${id:i1102}", "1", "${seal:" nonce ":1102}", "1102")
#define OPEN(nonce, reading, seal)                                                                 \
    "open {'election':'${e}','nonce':'${h:" nonce "}','reading':${r:" reading "},'seal':'${id:" seal "}'}"
#define COMPARED(marks, level, reading, record, round, says, station)                              \
    "compared {'at_ms':1,'contest':'president','election':'${e}'," marks "'level':'" level "'," reading      \
    "'record':'${id:" record "}','round':" round ",'says':'" says "','station':'" station "'}"
#define CUSTODY(contest, count, from, kind, more, to, unit, what)                                  \
    "custody {'at_ms':1," contest "'count':" count ",'election':'${e}','from':'" from              \
    "','kind':'" kind "'," more "'to':'" to "','unit':'" unit "','what':'" what "'}"
#define DECISION(action, codes, ground, more, round, unit)                                         \
    "decision {'action':'" action "'," codes "'contest':'president','election':'${e}'," ground more \
    "'round':" round ",'size':90,'unit':'" unit "'}"
#define CODES(codes) "'codes':[" codes "],"
#define GROUND(word) "'ground':'" word "',"
#define RECORD_ID(label) "'record':'${id:" label "}',"
#define REASON "'reason':${o:because},"
#define NOTICE(answers, contest, kind, lang)                                                       \
    "notice {" answers contest "'election':'${e}','kind':'" kind "','lang':'" lang                 \
    "','text':${o:Title}}"
#define OBSERVATION(contest, items, round, station)                                                \
    OBSERVED_BY("obs/eyes", contest, items, round, station)
#define OBSERVED_BY(who, contest, items, round, station)                                           \
    "observation {'at_ms':1," contest "'election':'${e}','items':{" items "},'key':'" who "',"     \
    round "'station':'" station "'}"
#define HOST(from, host, kind, to)                                                                 \
    "{'from_ms':" from ",'host':'" host "','kind':'" kind "','sha256':'${h:x}','size':0,'to_ms':" to "}"
#define HOSTS(rows) "host-log {'election':'${e}','rows':[" rows "]}"
#define HOST8 HOST("1", "a", "host", "1") "," HOST("1", "a", "host", "1") ","                      \
              HOST("1", "a", "host", "1") "," HOST("1", "a", "host", "1") ","                      \
              HOST("1", "a", "host", "1") "," HOST("1", "a", "host", "1") ","                      \
              HOST("1", "a", "host", "1") "," HOST("1", "a", "host", "1")
#define OBJ8 "${o:1},${o:2},${o:3},${o:4},${o:5},${o:6},${o:7},${o:8}"
#define COLLATION(basis, more, round, rows, supersedes, totals, unit)                              \
    "collation {'basis':'" basis "','contest':'president','election':'${e}'," more "'round':" round \
    ",'rows':" rows "," supersedes "'totals':{" totals "},'unit':'" unit "'}"
#define SUMS      "'registered':0,'rejected':null,'valid':1000000000000000,'votes':[0,null,0]"
#define ESUMS     "'registered':4380,'rejected':12,'valid':1338,'votes':[368,369,601]"
#define ELECTRONIC(rows, totals) COLLATION("electronic", "", "1", rows, "", totals, "KE")
#define OVERRIDE(contest, items, round)                                                            \
    "override {'basis':${o:another law},'contest':'" contest "','election':'${e}','items':["  \
    items "],'round':" round "}"
#define ITEM(code, count) "{'code':'" code "','count':" count "}"
/* Of head-21, bound to the whole base log. */
#define DECLARE(cp, more, outcome, over, root, round, size)                                        \
    "declaration {'checkpoint':" cp "," more "'contest':'head-21','election':'${e}','outcome':{"   \
    outcome "}," over "'root':'" root "','round':" round ",'size':" size "}"
#define ALL     "${cp:good:all}"
#define K21     "'collation':'${id:k21}',"
#define KIM     "'choices':['kim'],'kind':'elected'"
#define OVER    "'override':'${id:ov21}',"
#define ROOT    "${root:all}"
#define UNOPPOSED(contest, choices)                                                                \
    "declaration {'checkpoint':" ALL ",'contest':'" contest "','election':'${e}','outcome':{'choices':[" \
    choices "],'kind':'unopposed'},'root':'" ROOT "','round':1,'size':${n:all}}"
#define DISSENT(record, key, says)                                                                 \
    "dissent {'declaration':'" record "','election':'${e}','key':'" key "','says':'" says "'}"
#define ON(rows)  COLLATION("paper", FORM, "1", rows, "", SUMS, "KE")
#define CLAIM(claim, more, winner) "{'claim':'" claim "'," more "'winner':'" winner "'}"
#define PLANC(claims, contest, limit, method, round, sample)                                       \
    "audit-plan {'assertions':[" claims "],'authority':${o:an order},'bound':'cast','compliance':" \
    "${o:compliance},'contest':'" contest "','election':'${e}','limit_ppm':" limit ",'manifest':"  \
    "${o:manifest},'method':'" method "','round':" round sample "}"
#define BEATS CLAIM("beats", "'loser':'bo',", "ann")
#define PLAN1(claims) PLANC(claims, "president", "60000", "mixture", "1", "")
#define SEED(digits, draws, plan, size, thrown)                                                    \
    "audit-seed {'digits':'" digits "','draws':" draws ",'election':'${e}','plan':'${id:" plan     \
    "}','size':" size ",'thrown_ms':" thrown "}"
#define DICE "83127055619204338791"
#define NEXT(plan, size) "audit-round {'election':'${e}','plan':'${id:" plan "}','size':" size "}"
#define SEALED(plan, counts, station, more)                                                        \
    "audit-count {'election':'${e}','plan':'${id:" plan "}','seal':'${auditseal:" counts           \
    "}','station':'" station "'" more "}"
#define OPENED(counts, nonce, of)                                                                  \
    "audit-count {'counts':${count:" counts "},'election':'${e}','nonce':'${h:" nonce              \
    "}','of':'${id:" of "}'}"
#define CLOSE(plan, reason, says)                                                                  \
    "audit-close {'election':'${e}','plan':'${id:" plan "}'," reason "'says':'" says               \
    "','transcript':${o:a transcript}}"
#define BOARD "aud/1,board"
#define LOG   "example.org/test-election"
#define COM   "com/1,com/2"
#define FRAME "hesabu/v1 station-event\n{'at_ms':1,'election':'${e}','event':'opened','station':'1101'}\n"

const struct record_case record_cases[] = {
    /* --- framing --- */
    {"frame", OK, NULL, FRAME "\n${line:po/1101}"},
    {"entry-head", E_ENTRY, "", "hesabu/entry/v2 4000000\n" FRAME "\n${line:po/1101}"},
    {"entry-ms-zero", E_ENTRY, "", "hesabu/entry/v1 04000000\n" FRAME "\n${line:po/1101}"},
    {"entry-ms-large", E_ENTRY, "", "hesabu/entry/v1 9007199254740992\n" FRAME "\n${line:po/1101}"},
    {"entry-ms-none", E_ENTRY, "", "hesabu/entry/v1 \n" FRAME "\n${line:po/1101}"},
    {"unsigned", E_NOTE, NULL, FRAME},
    {"version", E_NOTE, NULL, "hesabu/v2 result\n{}\n\n${line:po/1101}"},
    {"three-lines", E_NOTE, NULL, FRAME "more\n\n${line:po/1101}"},
    {"one-line", E_NOTE, NULL, "hesabu/v1 result\n\n${line:po/1101}"},
    {"no-dash", E_NOTE, NULL, FRAME "\n- po/1101 AAAA\n"},
    {"not-base64", E_BASE64, NULL, FRAME "\n\xe2\x80\x94 po/1101 AAA*\n"},
    {"tab", E_UTF8, NULL, "hesabu/v1 station-event\n{\t}\n\n${fake:po/1101}"},
    {"overlong", E_UTF8, NULL, "hesabu/v1 station-event\n{'\xc0\x80'}\n\n\xe2\x80\x94 po/1101 AAAAAAAA\n"},
    {"unknown", E_TYPE, "po/1101", "ballot {}"},
    {"capital", E_TYPE, "po/1101", "Result {}"},
    {"lines-order", E_LINES, NULL, FRAME "\n${line:ro/11}${line:po/1101}"},
    {"lines-twice", E_LINES, NULL, FRAME "\n${line:po/1101}${line:po/1101}"},
    {"lines-one-key", E_LINES, NULL, FRAME "\n${fake:po/1101}${line:po/1101}"},
    {"size-max", OK, "po/1102", IMAGE("president", "carbon", "${pad:3990}", "1", "", "1", "1102", "")},
    {"size-max-plus-1", E_SIZE, "po/1102",
     IMAGE("president", "carbon", "${pad:3991}", "1", "", "1", "1102", "")},
    /* --- canonical JSON --- */
    {"json-rest", E_JSON, "po/1101", EVENT("", "opened", "1101", "") "x"},
    {"json-open", E_JSON, "po/1101", "station-event {'at_ms':1"},
    {"json-comma", E_JSON, "po/1102",
     IMAGE("president", "carbon", "[1,1,1,1],", "1", "", "1", "1102", "")},
    {"json-space", E_CANONICAL, "po/1101", "station-event { 'at_ms':1}"},
    {"json-twice", E_CANONICAL, "po/1101", "station-event {'at_ms':1,'at_ms':1}"},
    {"json-order", E_CANONICAL, "po/1101", "station-event {'at_ms':1,'aa':1}"},
    {"json-zero", E_CANONICAL, "po/1101", "station-event {'at_ms':01}"},
    {"json-fraction", E_CANONICAL, "po/1101", "station-event {'at_ms':1.0}"},
    {"json-exponent", E_CANONICAL, "po/1101", "station-event {'at_ms':1e3}"},
    {"json-escape", E_CANONICAL, "po/1101", EVENT("", "\\u006fpened", "1101", "")},
    {"json-past-53", E_RANGE, "po/1101", "station-event {'at_ms':9007199254740992}"},
    {"json-at-53", OK, "po/1101",
     "station-event {'at_ms':9007199254740991,'election':'${e}','event':'opened','station':'1101'}"},
    {"json-negative", E_RANGE, "po/1101", "station-event {'at_ms':-1}"},
    {"json-bidi", E_UTF8, "po/1101", EVENT("", "opened\xe2\x80\xae", "1101", "")},
    {"json-c1", E_UTF8, "po/1101", EVENT("", "opened\xc2\x85", "1101", "")},
    {"json-depth", E_DEPTH, COM, AMEND("{'contests':${O:c-deep}}")},
    {"field-missing", E_FIELD, "po/1101", "station-event {'at_ms':1,'election':'${e}','station':'1101'}"},
    {"field-unknown", E_FIELD, "po/1101", EVENT("", "opened", "1101", ",'weather':'rain'")},
    {"field-kind", E_FIELD, "po/1101", "station-event {'at_ms':'1'}"},
    {"hex-upper", E_HEX, "po/1101",
     "station-event {'at_ms':1,'election':'ABABABABABABABABABABABABABABABABABABABABABABABABABABABABABABABAB'}"},
    {"hex-short", E_HEX, "po/1101", "station-event {'at_ms':1,'election':'ab'}"},
    /* --- the log --- */
    {"second-manifest", E_FIRST, "com/1,com/2", "manifest {}"},
    {"time-back", E_TIME, "po/1101", EVENT("", "opened", "1101", ""), FX_CLOSES},
    {"replayed", E_DUPLICATE, "po/1101",
     "station-event {'at_ms':1,'contest':'president','election':'${e}','event':'form-posted','station':'1101'}"},
    {"replayed-other-lines", E_DUPLICATE, "ro/11",
     "station-event {'at_ms':1,'contest':'president','election':'${e}','event':'form-posted','station':'1101'}"},
    {"replayed-earlier", E_DUPLICATE, "po/1101",
     "station-event {'at_ms':1,'contest':'president','election':'${e}','event':'form-posted','station':'1101'}",
     1},
    {"election", E_ELECTION, "po/1101",
     "station-event {'at_ms':1,'election':'${h:rehearsal}','event':'opened','station':'1101'}"},
    /* --- signers --- */
    {"stranger", E_SIGNER, "stranger", EVENT("", "opened", "1101", "")},
    {"padded-list", E_SIGNER, "po/1102,stranger", PRES("1102")},
    {"wrong-name", E_SIGNER, "po/1101@po/1102", PRES("1102")},
    {"cosignature-line", E_SIGNER, "04:po/1101", EVENT("", "opened", "1101", "")},
    {"agent-alone", E_ROLE, "agent/red/11", PRES("1102")},
    {"observer-result", E_ROLE, "obs/wits,po/1102", PRES("1102")},
    {"log-result", E_ROLE, LOG, PRES("1102")},
    {"clerk-grants", E_ROLE, "clerk/11,new", KEY("new", "clerk", "11", "")},
    {"officer-incident", E_ROLE, "po/1101", INCIDENT(ROW("claimed", "E_X", "1", "1", "unknown", "1", "", "result"))},
    {"log-and-other", E_LINES, LOG ",po/1101",
     INCIDENT(ROW("claimed", "E_X", "1", "1", "unknown", "1", "", "result"))},
    {"other-station", E_SCOPE, "po/1101", PRES("1102")},
    {"agent-elsewhere", E_SCOPE, "po/1102,agent/red/1101", PRES("1102")},
    {"agent-other-contest", E_SCOPE, "po/1102,agent/red/gov", PRES("1102")},
    {"agent-own-contest", OK, "po/1102,agent/red/gov", RS("governor-1", "2", "1", "1102", "'dee':4,'eve':2")},
    {"revoked", E_REVOKED, "po/1102-old", PRES("1102")},
    {"expired", E_EXPIRED, "po/1102,agent/red/old", PRES("1102")},
    {"not-yet", E_EXPIRED, "po/1102,agent/red/new", PRES("1102")},
    {"valid-this-ms", OK, "po/1102,agent/red/now", PRES("1102")},
    {"quota", E_QUOTA, "obs/wits", COUNTERSIGN("obs/wits", "${id:r1102b}", "saw")},
    {"quota-left", OK, "obs/eyes", COUNTERSIGN("obs/eyes", "${id:r1102b}", "saw")},
    /* --- amend --- */
    {"amend-all", OK, COM,
     "amend {'changes':[{'area':{'contest':'governor-1','state':'open','unit':'12'}},"
     "{'choice':{'choice':'cy','contest':'president','state':'withdrawn'}},{'close':{'unit':'2103'}},"
     "{'contests':${O:c-ok}},{'limits':{'one_sided':900}},{'policy':['quorum none']},"
     "{'quotas':{'observer':{'countersign':2}}},{'threshold':3},{'units':${O:u-ok}}],'definition':3,"
     "'election':'${e}','reason':${o:why not}}"},
    {"amend-one-person", E_THRESHOLD, "com/1,com/1b", AMEND("{'threshold':1}")},
    {"amend-officer", E_ROLE, "com/1,com/2,ro/11", AMEND("{'threshold':1}")},
    {"amend-threshold-1", OK, COM, AMEND("{'threshold':1}")},
    {"amend-threshold-0", E_RANGE, COM, AMEND("{'threshold':0}")},
    {"amend-threshold-4", E_RANGE, COM, AMEND("{'threshold':4}")},
    {"amend-nothing", E_FIELD, COM, AMEND("")},
    {"amend-empty", E_FIELD, COM, AMEND("{}")},
    {"amend-unknown", E_FIELD, COM, AMEND("{'weather':1}")},
    {"amend-two-in-one", E_FIELD, COM, AMEND("{'threshold':1,'x':1}")},
    {"amend-version-same", E_DEFINITION, COM, "amend {'changes':[{'threshold':1}],'definition':2,'election':'${e}'}"},
    {"amend-version-skipped", E_DEFINITION, COM,
     "amend {'changes':[{'threshold':1}],'definition':4,'election':'${e}'}"},
    {"amend-area-unit", E_UNIT, COM, AMEND("{'area':{'contest':'governor-1','state':'open','unit':'21'}}")},
    {"amend-area-contest", E_CONTEST, COM, AMEND("{'area':{'contest':'mayor','state':'open','unit':'21'}}")},
    {"amend-area-word", E_FIELD, COM, AMEND("{'area':{'contest':'governor-1','state':'late','unit':'12'}}")},
    {"amend-choice", E_CHOICE, COM, AMEND("{'choice':{'choice':'zed','contest':'president','state':'dead'}}")},
    {"amend-close-county", E_UNIT, COM, AMEND("{'close':{'unit':'11'}}")},
    {"amend-close-closed", E_STATE, COM, AMEND("{'close':{'unit':'1103'}}")},
    {"amend-close-used", E_STATE, COM, AMEND("{'close':{'unit':'1101'}}")},
    {"amend-close-unknown", E_UNIT, COM, AMEND("{'close':{'unit':'9999'}}")},
    {"amend-round", OK, COM, AMEND(ROUND3("'ann','cy'", "president", "2"))},
    {"amend-round-skipped", E_ROUND, COM, AMEND(ROUND3("'ann','cy'", "president", "3"))},
    {"amend-round-same", E_ROUND, COM, AMEND(ROUND3("'ann','cy'", "president", "1"))},
    {"amend-round-choice", E_CHOICE, COM, AMEND(ROUND3("'ann','zed'", "president", "2"))},
    {"amend-round-twice", E_CHOICE, COM, AMEND(ROUND3("'ann','ann'", "president", "2"))},
    {"amend-round-none", E_CHOICE, COM, AMEND(ROUND3("", "president", "2"))},
    {"amend-log-size", E_STATE, COM,
     AMEND("{'log':{'key':'${v:newlog@example.org/test-election}','root':'${h:root}','size':1}}")},
    {"amend-log-name", E_FIELD, COM, AMEND("{'log':{'key':'${v:newlog}','root':'${h:root}','size':1}}")},
    {"amend-log-vkey", E_VKEY, COM, AMEND("{'log':{'key':'newlog','root':'${h:root}','size':1}}")},
    {"amend-log-own", E_KEY_REUSED, COM,
     AMEND("{'log':{'key':'${v:example.org/test-election}','root':'${h:root}','size':1}}")},
    {"amend-log-persons", E_KEY_REUSED, COM,
     AMEND("{'log':{'key':'${v:po/1101@example.org/test-election}','root':'${h:root}','size':1}}")},
    {"amend-policy-unreadable", E_POLICY, COM, AMEND("{'policy':['log x','quorum none']}")},
    {"amend-policy-long", E_RANGE, COM,
     AMEND("{'policy':['${x:999:a}','${x:999:a}','${x:999:a}','${x:999:a}','${x:999:a}','${x:999:a}',"
           "'${x:999:a}','${x:999:a}','${x:999:a}','${x:999:a}','${x:999:a}','${x:999:a}','${x:999:a}',"
           "'${x:999:a}','${x:999:a}','${x:999:a}','${x:999:a}','${x:999:a}','${x:999:a}','${x:999:a}',"
           "'${x:999:a}','${x:999:a}','${x:999:a}','${x:999:a}','${x:999:a}','${x:999:a}','${x:999:a}',"
           "'${x:999:a}','${x:999:a}','${x:999:a}','${x:999:a}','${x:999:a}','${x:999:a}']}")},
    {"amend-quota-role", E_FIELD, COM, AMEND("{'quotas':{'king':{'key':1}}}")},
    {"amend-quota-type", E_FIELD, COM, AMEND("{'quotas':{'clerk':{'ballot':1}}}")},
    {"amend-quota-range", E_RANGE, COM, AMEND("{'quotas':{'clerk':{'image':65536}}}")},
    {"amend-limits-range", E_RANGE, COM, AMEND("{'limits':{'one_sided':1001}}")},
    {"amend-limits-unknown", E_FIELD, COM, AMEND("{'limits':{'rain':1}}")},
    {"units-missing", E_OBJECT_MISSING, COM, AMEND("{'units':${missing:}}")},
    {"units-size", E_OBJECT, COM, AMEND("{'units':${wrong:u-ok}}")},
    {"units-head", E_OBJECT, COM, AMEND("{'units':${O:u-head}}")},
    {"units-cut", E_OBJECT, COM, AMEND("{'units':${O:u-cut}}")},
    {"units-four-members", E_FIELD, COM, AMEND("{'units':${O:u-four}}")},
    {"units-six-members", E_FIELD, COM, AMEND("{'units':${O:u-six}}")},
    {"units-twice", E_UNIT, COM, AMEND("{'units':${O:u-twice}}")},
    {"units-orphan", E_UNIT, COM, AMEND("{'units':${O:u-orphan}}")},
    {"units-second-root", E_UNIT, COM, AMEND("{'units':${O:u-root}}")},
    {"units-level", E_UNIT, COM, AMEND("{'units':${O:u-level}}")},
    {"units-above", E_UNIT, COM, AMEND("{'units':${O:u-above}}")},
    {"units-below-station", E_UNIT, COM, AMEND("{'units':${O:u-below}}")},
    {"units-code", E_FIELD, COM, AMEND("{'units':${O:u-code}}")},
    {"units-code-file", E_FIELD, COM, AMEND("{'units':${O:u-file}}")},
    {"units-registered", E_RANGE, COM, AMEND("{'units':${O:u-big}}")},
    {"units-bidi", E_UTF8, COM, AMEND("{'units':${O:u-bidi}}")},
    {"units-space", E_CANONICAL, COM, AMEND("{'units':${O:u-space}}")},
    {"contests-head", E_OBJECT, COM, AMEND("{'contests':${O:c-head}}")},
    {"contests-twice", E_CONTEST, COM, AMEND("{'contests':${O:c-twice}}")},
    {"contests-path", E_FIELD, COM, AMEND("{'contests':${O:c-path}}")},
    {"contests-unit", E_UNIT, COM, AMEND("{'contests':${O:c-unit}}")},
    {"contests-station", E_UNIT, COM, AMEND("{'contests':${O:c-station}}")},
    {"contests-no-choice", E_CHOICE, COM, AMEND("{'contests':${O:c-none}}")},
    {"contests-same-choice", E_CHOICE, COM, AMEND("{'contests':${O:c-same}}")},
    /* --- key --- */
    {"key-officer", OK, "ro/11,new", KEY("new", "presiding-officer", "1104", "")},
    {"key-contests", OK, "ro/11gov,new", KEYC("'governor-1'", "new", "presiding-officer", "1104")},
    {"key-more-contests", E_DELEGATION, "ro/11gov,new",
     KEYC("'governor-1','president'", "new", "presiding-officer", "1104")},
    {"key-all-contests", E_DELEGATION, "ro/11gov,new", KEY("new", "presiding-officer", "1104", "")},
    {"key-contest-unknown", E_CONTEST, "ro/11,new", KEYC("'mayor'", "new", "clerk", "11")},
    {"key-contest-order", E_CANONICAL, "ro/11,new", KEYC("'president','governor-1'", "new", "clerk", "11")},
    {"key-contest-none", E_FIELD, "ro/11,new", KEYC("", "new", "clerk", "11")},
    {"key-agent", OK, "party/red,new", KEY("new", "agent", "2101", "'party':'red',")},
    {"key-other-party", E_DELEGATION, "party/red,new", KEY("new", "agent", "2101", "'party':'blue',")},
    {"key-agent-no-party", E_FIELD, "party/red,new", KEY("new", "agent", "2101", "")},
    {"key-officer-party", E_FIELD, "ro/11,new", KEY("new", "clerk", "11", "'party':'red',")},
    {"key-party-outside", E_DELEGATION, "party/blue,new", KEY("new", "agent", "2101", "'party':'blue',")},
    {"key-observer", OK, "og/wits,new", KEY("new", "observer", "KE", "'party':'wits',")},
    {"key-other-group", E_DELEGATION, "og/wits,new", KEY("new", "observer", "KE", "'party':'eyes',")},
    {"key-observer-no-group", E_FIELD, "og/wits,new", KEY("new", "observer", "KE", "")},
    {"key-auditor", OK, "board,new", KEY("new", "auditor", "KE", "")},
    {"key-outside", E_DELEGATION, "ro/12,new", KEY("new", "presiding-officer", "1104", "")},
    {"key-above", E_DELEGATION, "ro/11,new", KEY("new", "clerk", "1", "")},
    {"key-equal", E_DELEGATION, "ro/11,new", KEY("new", "returning-officer", "11", "")},
    {"key-nobody", E_POSSESSION, "ro/11", KEY("new", "presiding-officer", "1104", "")},
    {"key-itself", E_DELEGATION, "new", KEY("new", "presiding-officer", "1104", "")},
    {"key-stranger-too", E_SIGNER, "ro/11,new,stranger", KEY("new", "presiding-officer", "1104", "")},
    {"key-commissioners", OK, COM ",new", KEY("new", "returning-officer", "2", "")},
    {"key-one-commissioner", E_THRESHOLD, "com/1,com/1b,new", KEY("new", "returning-officer", "2", "")},
    {"key-commissioner-beside", OK, "com/1,ro/11,new", KEY("new", "presiding-officer", "1104", "")},
    {"key-commissioner", OK, "com/1,com/3,new", KEY("new", "commissioner", "KE", "")},
    {"key-commissioner-county", E_UNIT, "com/1,com/3,new", KEY("new", "commissioner", "1", "")},
    {"key-commissioner-contests", E_FIELD, "com/1,com/3,new", KEYC("'president'", "new", "commissioner", "KE")},
    {"key-officer-county", E_UNIT, "ro/11,new", KEY("new", "presiding-officer", "11", "")},
    {"key-unit-unknown", E_UNIT, "ro/11,new", KEY("new", "presiding-officer", "9999", "")},
    {"key-role-unknown", E_FIELD, "ro/11,new", KEY("new", "king", "11", "")},
    {"key-name-used", E_KEY_REUSED, "ro/11,new@po/1101", KEY("new@po/1101", "clerk", "11", "")},
    {"key-public-used", E_KEY_REUSED, "ro/11,po/1101@new", KEY("po/1101@new", "clerk", "11", "")},
    {"key-public-revoked", E_KEY_REUSED, "ro/11,po/1102-old@new", KEY("po/1102-old@new", "clerk", "11", "")},
    {"key-public-log", E_KEY_REUSED, "ro/11,example.org/test-election@new",
     KEY("example.org/test-election@new", "clerk", "11", "")},
    {"key-name-log", E_KEY_REUSED, "ro/11,new@example.org/test-election",
     KEY("new@example.org/test-election", "clerk", "11", "")},
    {"key-name-capital", E_VKEY, "ro/11,New", KEY("New", "clerk", "11", "")},
    {"key-not-a-key", E_VKEY, "ro/11",
     "key {'election':'${e}','holder':'${h:x}','key':'new+00000000+AAAA'}"},
    {"key-reversed", E_RANGE, "ro/11,new",
     "key {'election':'${e}','holder':'${h:x}','key':'${v:new}','not_after_ms':5,'not_before_ms':6,"
     "'role':'clerk','unit':'11'}"},
    /* --- revoke --- */
    {"revoke-officer", OK, "ro/11", REVOKE("po/1101", ",'suspect_since_ms':9")},
    {"revoke-own", OK, "po/1101", REVOKE("po/1101", "")},
    {"revoke-neighbour", E_DELEGATION, "po/1102", REVOKE("po/1101", "")},
    {"revoke-outside", E_DELEGATION, "ro/12", REVOKE("po/1101", "")},
    {"revoke-agent", OK, "party/red", REVOKE("agent/red/11", "")},
    {"revoke-other-party", E_DELEGATION, "party/blue", REVOKE("agent/red/1101", "")},
    {"revoke-other-group", E_DELEGATION, "og/wits", REVOKE("obs/eyes", "")},
    {"revoke-commissioner", OK, "com/2,com/3", REVOKE("com/1", "")},
    {"revoke-commissioner-few", E_THRESHOLD, "com/2", REVOKE("com/1", "")},
    {"revoke-again", E_STATE, "ro/11", REVOKE("po/1102-old", "")},
    {"revoke-again-same", E_STATE, "ro/11", "revoke {'election':'${e}','key':'po/1102-old','reason':'lost','suspect_since_ms':2000000}"},
    {"revoke-earlier", OK, "ro/11", REVOKE("po/1102-old", ",'suspect_since_ms':1999999")},
    {"revoke-unknown", E_REFERENCE, "ro/11", REVOKE("nobody", "")},
    {"revoke-why", E_FIELD, "ro/11", "revoke {'election':'${e}','key':'po/1101','reason':'bored'}"},
    /* --- acting --- */
    {"acting", OK, "dpo/1101", ACTING("dpo/1101", "po/1101", "1101")},
    {"acting-two", OK, "dpo/1101,ro/11", ACTING("dpo/1101", "po/1101", "1101")},
    {"acting-returning", OK, "dro/11", ACTING("dro/11", "ro/11", "11")},
    {"acting-unsigned", E_ROLE, "ro/11", ACTING("dpo/1101", "po/1101", "1101")},
    {"acting-elsewhere", E_ROLE, "dpo/2101", ACTING("dpo/2101", "po/1101", "1101")},
    {"acting-officer", E_ROLE, "ro/11", ACTING("ro/11", "po/1101", "1101")},
    {"acting-clerk", E_ROLE, "dpo/1101", ACTING("dpo/1101", "clerk/11", "11")},
    {"acting-unit", E_SCOPE, "dpo/1101", ACTING("dpo/1101", "po/1101", "1102")},
    {"acting-outsider", E_SCOPE, "dpo/1101,ro/12", ACTING("dpo/1101", "po/1101", "1101")},
    {"acting-again", E_STATE, "dpo/2101", ACTING("dpo/2101", "po/2101", "2101")},
    {"acting-unknown", E_REFERENCE, "dpo/1101", ACTING("dpo/1101", "nobody", "1101")},
    /* --- result --- */
    {"result", OK, "po/2103", PRES("2103")},
    {"result-second", OK, "po/1102", PRES("1102")},
    {"result-full", OK, "po/2103",
     "result {'agents':{'present':2,'refused':0,'signed':2},'ballots':{'disputed':0,'objected':1,"
     "'registered':630,'rejected':2,'valid':6},'basis':'station','contest':'president','definition':1,"
     "'election':'${e}','form':['${h:1}','${h:2}','${h:3}','${h:4}','${h:5}','${h:6}','${h:7}','${h:8}'],"
     "'round':1,'serial':'S 2','signed_ms':0,'station':'2103','voters':{'kit':7,'manual':0},'votes':{" ABC
     "}}"},
    {"result-blank", OK, "po/2103",
     "result {'ballots':{},'basis':'station','contest':'president','definition':2,'election':'${e}',"
     "'round':1,'signed_ms':1,'station':'2103','votes':{}}"},
    {"result-figure-max", OK, "po/2103", RS("president", "2", "1", "2103", "'ann':999999999")},
    {"result-figure-large", E_RANGE, "po/2103", RS("president", "2", "1", "2103", "'ann':1000000000")},
    {"result-nine-pages", E_RANGE, "po/2103",
     HEAD("station") "'form':['${h:1}','${h:2}','${h:3}','${h:4}','${h:5}','${h:6}','${h:7}','${h:8}','${h:9}'],"
                     "'round':1," TAIL("2103")},
    {"result-serial-empty", E_FIELD, "po/2103", HEAD("station") "'round':1,'serial':''," TAIL("2103")},
    {"result-serial-long", E_RANGE, "po/2103", HEAD("station") "'round':1,'serial':'${x:41:s}'," TAIL("2103")},
    {"result-basis", E_FIELD, "po/2103", HEAD("rumour") "'round':1," TAIL("2103")},
    {"result-new-station", OK, "ro/11,clerk/11", PAPER("1104")},
    {"result-before-station", E_DEFINITION, "ro/11,clerk/11",
     "result {'ballots':{},'basis':'paper','contest':'president','definition':1,'election':'${e}'," FORM
     "'round':1," TAIL("1104")},
    {"result-closed-station", E_UNIT, "po/1103", PRES("1103")},
    {"result-county", E_UNIT, "po/1101", PRES("11")},
    {"result-no-station", E_UNIT, "po/1101", PRES("9999")},
    {"result-no-contest", E_CONTEST, "po/2103", RS("mayor", "2", "1", "2103", ABC)},
    {"result-not-held-here", E_CONTEST, "po/1101", RS("member-21", "2", "2", "1101", "'fay':1")},
    {"result-round-2", OK, "po/2102", RS("member-21", "2", "2", "2102", "'fay':4,'gus':2")},
    {"result-round-over", E_ROUND, "po/2102", RS("member-21", "2", "1", "2102", "'fay':4,'gus':2")},
    {"result-round-0", E_ROUND, "po/2102", RS("member-21", "2", "0", "2102", "'fay':4,'gus':2")},
    {"result-round-3", E_ROUND, "po/2102", RS("member-21", "2", "3", "2102", "'fay':4,'gus':2")},
    {"result-old-definition", E_DEFINITION, "po/2102", RS("member-21", "1", "2", "2102", "'fay':4")},
    {"result-next-definition", E_DEFINITION, "po/2103", RS("president", "3", "1", "2103", ABC)},
    {"result-older-ballot", OK, "po/2103", RS("president", "1", "1", "2103", ABC)},
    {"result-not-in-round", E_CHOICE, "po/2102", RS("member-21", "2", "2", "2102", "'hal':4")},
    {"result-no-choice", E_CHOICE, "po/2103", RS("president", "2", "1", "2103", "'zed':4")},
    {"result-postponed", E_STATE, "po/1201", RS("governor-1", "2", "1", "1201", "'dee':1")},
    {"result-cancelled", E_STATE, "po/1201", RS("ward-12", "2", "1", "1201", "'ida':1")},
    {"result-deputy", OK, "dpo/2101", PRES("2101")},
    {"result-deputy-idle", E_ROLE, "dpo/1101", PRES("1101")},
    {"result-deputy-beside", OK, "dpo/1101,po/1101", PRES("1101")},
    {"result-returning", E_ROLE, "ro/11", PRES("1101")},
    {"paper-two", OK, "ro/12,clerk/12", PAPER("1201")},
    {"paper-alone", E_THRESHOLD, "ro/12", PAPER("1201")},
    {"paper-own-clerk", E_THRESHOLD, "ro/12,clerk/12own", PAPER("1201")},
    {"paper-with-officer", E_THRESHOLD, "ro/12,po/1201", PAPER("1201")},
    {"paper-clerks", E_ROLE, "clerk/12,clerk/12own", PAPER("1201")},
    {"paper-no-form", E_FIELD, "ro/12,clerk/12", HEAD("paper") "'round':1," TAIL("1201")},
    {"paper-outside", E_SCOPE, "ro/12,clerk/12,clerk/11", PAPER("1201")},
    {"supersede", OK, "po/2102",
     HEAD("station") "'round':1,'signed_ms':1,'station':'2102','supersedes':['${id:r2102}'],'votes':{" ABC "}}"},
    {"supersede-both", OK, "po/1201",
     HEAD("station") "'round':1,'signed_ms':1,'station':'1201','supersedes':['${id:r1201a}','${id:r1201b}'],'votes':{" ABC "}}"},
    {"supersede-order", E_CANONICAL, "po/1201",
     HEAD("station") "'round':1,'signed_ms':1,'station':'1201','supersedes':['${id:r1201b}','${id:r1201a}'],'votes':{" ABC "}}"},
    {"supersede-twice", E_CANONICAL, "po/1201",
     HEAD("station") "'round':1,'signed_ms':1,'station':'1201','supersedes':['${id:r1201a}','${id:r1201a}'],'votes':{" ABC "}}"},
    {"supersede-empty", E_FIELD, "po/1201",
     HEAD("station") "'round':1,'signed_ms':1,'station':'1201','supersedes':[],'votes':{" ABC "}}"},
    {"supersede-again", E_SUPERSEDE, "po/1102",
     HEAD("station") "'round':1,'signed_ms':1,'station':'1102','supersedes':['${id:r1102a}'],'votes':{" ABC "}}"},
    {"supersede-next", OK, "po/1102",
     HEAD("station") "'round':1,'signed_ms':1,'station':'1102','supersedes':['${id:r1102b}'],'votes':{" ABC "}}"},
    {"supersede-posted", E_SUPERSEDE, "po/1101",
     HEAD("station") "'round':1,'signed_ms':1,'station':'1101','supersedes':['${id:r1101}'],'votes':{" ABC "}}"},
    {"supersede-paper", E_SUPERSEDE, "po/1202",
     HEAD("station") "'round':1,'signed_ms':1,'station':'1202','supersedes':['${id:r1202}'],'votes':{" ABC "}}"},
    {"supersede-by-paper", E_SUPERSEDE, "ro/21,clerk/21",
     HEAD("paper") FORM "'round':1,'signed_ms':1,'station':'2102','supersedes':['${id:r2102}'],'votes':{" ABC "}}"},
    {"supersede-elsewhere", E_REFERENCE, "po/2103",
     HEAD("station") "'round':1,'signed_ms':1,'station':'2103','supersedes':['${id:r2102}'],'votes':{" ABC "}}"},
    {"supersede-no-result", E_REFERENCE, "po/2103",
     HEAD("station") "'round':1,'signed_ms':1,'station':'2103','supersedes':['${id:posted}'],'votes':{" ABC "}}"},
    {"supersede-nothing", E_REFERENCE, "po/2103",
     HEAD("station") "'round':1,'signed_ms':1,'station':'2103','supersedes':['${h:nothing}'],'votes':{" ABC "}}"},
    /* --- signatures: see test_fold.c for those that are taken --- */
    {"signatures-officer", E_ROLE, "po/1101", SIGNATURES("", "${id:r1101}")},
    {"signatures-none", E_FIELD, LOG, SIGNATURES("", "${id:r1101}")},
    {"signatures-no-record", E_REFERENCE, LOG, SIGNATURES("'x'", "${h:nothing}")},
    {"signatures-no-result", E_REFERENCE, LOG, SIGNATURES("'x'", "${id:posted}")},
    {"signatures-no-line", E_NOTE, LOG, SIGNATURES("'x'", "${id:r1101}")},
    {"signatures-long", E_RANGE, LOG, SIGNATURES("'${x:401:a}'", "${id:r1101}")},
    /* --- countersign --- */
    {"countersign", OK, "agent/blue/1101", COUNTERSIGN("agent/blue/1101", "${id:r1101}", "object")},
    {"countersign-superseded", OK, "agent/red/11", COUNTERSIGN("agent/red/11", "${id:r1102a}", "saw")},
    {"countersign-changed-mind", OK, "agent/red/11", COUNTERSIGN("agent/red/11", "${id:r1102b}", "saw")},
    {"countersign-again", E_STATE, "agent/red/11", COUNTERSIGN("agent/red/11", "${id:r1102b}", "object")},
    {"countersign-other", E_LINES, "agent/red/11", COUNTERSIGN("agent/red/1101", "${id:r1101}", "saw")},
    {"countersign-two", E_LINES, "agent/red/11,agent/red/1101", COUNTERSIGN("agent/red/11", "${id:r1101}", "saw")},
    {"countersign-officer", E_ROLE, "po/1101", COUNTERSIGN("po/1101", "${id:r1101}", "saw")},
    {"countersign-elsewhere", E_SCOPE, "agent/red/1101", COUNTERSIGN("agent/red/1101", "${id:r1102b}", "saw")},
    {"countersign-contest", E_SCOPE, "agent/red/gov", COUNTERSIGN("agent/red/gov", "${id:r1102b}", "saw")},
    {"countersign-word", E_FIELD, "agent/red/11", COUNTERSIGN("agent/red/11", "${id:r1101}", "like")},
    {"countersign-no-result", E_REFERENCE, "agent/red/11", COUNTERSIGN("agent/red/11", "${id:posted}", "saw")},
    /* --- image --- */
    {"image", OK, "po/2102",
     IMAGE("president", "original", "[0,0,100000,5],[1,2,3,4]", "99", "'result':'${id:r2102}',", "1", "2102",
           ",'zones':'00ff'")},
    {"image-of-station", OK, "po/2102", IMAGE("president", "original", "", "1", "", "1", "2102", "")},
    {"image-agent", OK, "agent/red/11", IMAGE("president", "agent", "", "1", "", "1", "1102", "")},
    {"image-agent-original", E_ROLE, "agent/red/11", IMAGE("president", "original", "", "1", "", "1", "1102", "")},
    {"image-observer", OK, "obs/eyes", IMAGE("president", "posted", "", "1", "", "1", "1102", "")},
    {"image-observer-carbon", E_ROLE, "obs/eyes", IMAGE("president", "carbon", "", "1", "", "1", "1102", "")},
    {"image-elsewhere", E_SCOPE, "po/1101", IMAGE("president", "original", "", "1", "", "1", "1102", "")},
    {"image-older-round", OK, "po/2102", IMAGE("member-21", "original", "", "1", "", "1", "2102", "")},
    {"image-next-round", E_ROUND, "po/2102", IMAGE("member-21", "original", "", "1", "", "3", "2102", "")},
    {"image-round-0", E_ROUND, "po/2102", IMAGE("member-21", "original", "", "1", "", "0", "2102", "")},
    {"image-page-0", E_RANGE, "po/2102", IMAGE("president", "original", "", "0", "", "1", "2102", "")},
    {"image-page-100", E_RANGE, "po/2102", IMAGE("president", "original", "", "100", "", "1", "2102", "")},
    {"image-kind", E_FIELD, "po/2102", IMAGE("president", "selfie", "", "1", "", "1", "2102", "")},
    {"image-rectangle", E_FIELD, "po/2102", IMAGE("president", "original", "[1,2,3]", "1", "", "1", "2102", "")},
    {"image-rectangle-5", E_FIELD, "po/2102", IMAGE("president", "original", "[1,2,3,4,5]", "1", "", "1", "2102", "")},
    {"image-rectangle-large", E_RANGE, "po/2102",
     IMAGE("president", "original", "[1,2,3,100001]", "1", "", "1", "2102", "")},
    {"image-zones", E_HEX, "po/2102", IMAGE("president", "original", "", "1", "", "1", "2102", ",'zones':'0F'")},
    {"image-zones-odd", E_HEX, "po/2102", IMAGE("president", "original", "", "1", "", "1", "2102", ",'zones':'0'")},
    {"image-not-held", E_CONTEST, "po/1101", IMAGE("member-21", "original", "", "1", "", "1", "1101", "")},
    {"image-other-result", E_REFERENCE, "po/2102",
     IMAGE("president", "original", "", "1", "'result':'${id:r2101}',", "1", "2102", "")},
    {"image-no-result", E_REFERENCE, "po/2102",
     IMAGE("president", "original", "", "1", "'result':'${id:posted}',", "1", "2102", "")},
    {"image-closed", E_UNIT, "po/1103", IMAGE("president", "original", "", "1", "", "1", "1103", "")},
    /* --- station-event --- */
    {"event-all", OK, "po/1101",
     EVENT("'contest':'president',", "delayed", "1101", ",'value':999999999")},
    {"event-note", OK, "ro/11",
     "station-event {'at_ms':1,'election':'${e}','event':'kit-failed','note':${o:salt},'station':'1101'}"},
    {"event-posted", OK, "po/1102", EVENT("'contest':'president',", "form-posted", "1102", "")},
    {"event-posted-which", E_FIELD, "po/1102", EVENT("", "form-posted", "1102", "")},
    {"event-word", E_FIELD, "po/1102", EVENT("", "bored", "1102", "")},
    {"event-elsewhere", E_SCOPE, "po/1102", EVENT("", "opened", "1101", "")},
    {"event-not-held", E_CONTEST, "po/1102", EVENT("'contest':'member-21',", "opened", "1102", "")},
    {"event-agent", E_ROLE, "agent/red/11", EVENT("", "opened", "1101", "")},
    /* --- collation; electronic ones: test_law.c --- */
    {"collation-paper", OK, "nro", ON("${O:rows}")},
    {"collation-twice", OK, "nro", ON("${O:rows-twice}")}, /* paper is logged as it is: findings */
    {"collation-missing", OK, "nro", ON("${O:rows-missing}")},
    {"collation-foreign", OK, "nro", ON("${O:rows-foreign}")},
    {"collation-handed", OK, "nro",
     COLLATION("paper", FORM "'handed':999999999,", "1", "${O:rows}", "", SUMS, "KE")},
    {"collation-basis", E_FIELD, "nro", COLLATION("rumour", FORM, "1", "${O:rows}", "", SUMS, "KE")},
    {"collation-no-form", E_FIELD, "nro", COLLATION("paper", "", "1", "${O:rows}", "", SUMS, "KE")},
    {"collation-round", E_ROUND, "nro", COLLATION("paper", FORM, "2", "${O:rows}", "", SUMS, "KE")},
    {"collation-level", E_UNIT, "nro", COLLATION("paper", FORM, "1", "${O:rows}", "", SUMS, "11")},
    {"collation-unit", E_UNIT, "nro", COLLATION("paper", FORM, "1", "${O:rows}", "", SUMS, "99")},
    {"collation-officer", E_SCOPE, "ro/11", ON("${O:rows}")},
    {"collation-agent", E_SCOPE, "agent/red/11", ON("${O:rows}")},
    {"collation-clerk", E_ROLE, "clerk/11", ON("${O:rows}")},
    {"collation-total-large", E_RANGE, "nro",
     COLLATION("paper", FORM, "1", "${O:rows}", "",
               "'registered':0,'rejected':null,'valid':1000000000000001,'votes':[0,null,0]", "KE")},
    {"collation-total-short", E_CHOICE, "nro",
     COLLATION("paper", FORM, "1", "${O:rows}", "", "'registered':0,'rejected':null,'valid':1,'votes':[0,null]", "KE")},
    {"collation-total-long", E_CHOICE, "nro",
     COLLATION("paper", FORM, "1", "${O:rows}", "", "'registered':0,'rejected':null,'valid':1,'votes':[0,null,1,1]", "KE")},
    {"collation-total-word", E_FIELD, "nro",
     COLLATION("paper", FORM, "1", "${O:rows}", "", "'registered':'0','rejected':null,'valid':1,'votes':[0,null,1]", "KE")},
    {"collation-supersedes-nothing", E_REFERENCE, "nro",
     COLLATION("paper", FORM, "1", "${O:rows}", "'supersedes':'${id:r1101}',", SUMS, "KE")},
    {"collation-object-missing", E_OBJECT_MISSING, "nro", ON("${missing:rows}")},
    {"collation-object-size", E_OBJECT, "nro", ON("${wrong:rows}")},
    {"collation-rows-head", E_OBJECT, "nro", ON("${O:rows-head}")},
    {"collation-rows-cut", E_OBJECT, "nro", ON("${O:rows-cut}")},
    {"collation-rows-space", E_CANONICAL, "nro", ON("${O:rows-space}")},
    {"collation-rows-five", E_FIELD, "nro", ON("${O:rows-five}")},
    {"collation-rows-id", E_FIELD, "nro", ON("${O:rows-id}")},
    {"collation-rows-short", E_CHOICE, "nro", ON("${O:rows-short}")},
    {"collation-rows-long", E_CHOICE, "nro", ON("${O:rows-long}")},
    {"collation-rows-unknown", E_UNIT, "nro", ON("${O:rows-unknown}")},
    {"collation", OK, "nro", ELECTRONIC("${O:rows-e}", ESUMS)},
    {"collation-agents", OK, "nro,party/red", ELECTRONIC("${O:rows-e}", ESUMS)},
    {"collation-off-by-one", E_SUM, "nro",
     ELECTRONIC("${O:rows-e}", "'registered':4380,'rejected':12,'valid':1339,'votes':[368,369,601]")},
    {"collation-sum-blank", E_SUM, "nro",
     ELECTRONIC("${O:rows-e}", "'registered':4380,'rejected':null,'valid':1338,'votes':[368,369,601]")},
    {"collation-rows-order", E_ROWS, "nro", ELECTRONIC("${O:rows-order}", ESUMS)},
    {"collation-row-foreign", E_ROWS, "nro", ELECTRONIC("${O:rows-e-foreign}", ESUMS)},
    {"collation-row-missing", E_ROWS, "nro", ELECTRONIC("${O:rows-e-missing}", ESUMS)},
    {"collation-row-twice", E_ROWS, "nro", ELECTRONIC("${O:rows-e-twice}", ESUMS)},
    {"collation-row-off", E_ALTERED, "nro", ELECTRONIC("${O:rows-e-off}", ESUMS)},
    {"collation-row-zero-for-blank", E_ALTERED, "nro", ELECTRONIC("${O:rows-e-zero}", ESUMS)},
    {"collation-row-superseded", E_ALTERED, "nro", ELECTRONIC("${O:rows-e-old}", ESUMS)},
    {"collation-row-unnamed", E_ALTERED, "nro", ELECTRONIC("${O:rows-e-unnamed}", ESUMS)},
    {"collation-row-of-two", E_ALTERED, "nro", ELECTRONIC("${O:rows-e-unheld}", ESUMS)},
    /* --- override --- */
    {"override", OK, "ro/21", OVERRIDE("head-21", ITEM("G_MISSING", "2"), "1")}, /* a second one */
    {"override-few", E_GATE, "ro/21", OVERRIDE("head-21", ITEM("G_MISSING", "1"), "1")},
    {"override-more", E_GATE, "ro/21", OVERRIDE("head-21", ITEM("G_MISSING", "3"), "1")},
    {"override-other-item", E_GATE, "ro/21", OVERRIDE("head-21", ITEM("G_NO_IMAGE", "2"), "1")},
    {"override-item-more", E_GATE, "ro/21",
     OVERRIDE("head-21", ITEM("G_MISSING", "2") "," ITEM("G_OUTCOME", "1"), "1")},
    {"override-twice", E_CANONICAL, "ro/21",
     OVERRIDE("head-21", ITEM("G_MISSING", "2") "," ITEM("G_MISSING", "2"), "1")},
    {"override-order", E_CANONICAL, "ro/21",
     OVERRIDE("head-21", ITEM("G_NO_IMAGE", "1") "," ITEM("G_MISSING", "2"), "1")},
    {"override-nothing", E_FIELD, "ro/21", OVERRIDE("head-21", "", "1")},
    {"override-item", E_FIELD, "ro/21", OVERRIDE("head-21", ITEM("G_ALL", "2"), "1")},
    {"override-round", E_ROUND, "ro/21", OVERRIDE("head-21", ITEM("G_MISSING", "2"), "2")},
    {"override-officer", E_ROLE, "nro", OVERRIDE("head-21", ITEM("G_MISSING", "2"), "1")},
    {"override-scope", E_SCOPE, "ro/11", OVERRIDE("head-21", ITEM("G_MISSING", "2"), "1")},
    {"override-declared", E_STATE, "ro/11", OVERRIDE("chief-11", ITEM("G_MISSING", "2"), "1")},
    /* --- declaration --- */
    {"declaration", OK, "ro/21", DECLARE(ALL, K21, KIM, OVER, ROOT, "1", "${n:all}")},
    {"declaration-certificate", OK, "ro/21",
     "declaration {'certificate':${o:the certificate}," "'checkpoint':" ALL "," K21
     "'contest':'head-21','election':'${e}','outcome':{" KIM "}," OVER "'root':'" ROOT
     "','round':1,'size':${n:all}}"},
    {"declaration-unopposed", OK, "ro/12", UNOPPOSED("chief-12", "'kim'")},
    {"declaration-unopposed-nobody", E_OUTCOME, "ro/12", UNOPPOSED("chief-12", "")},
    {"declaration-again", E_STATE, "ro/11", UNOPPOSED("chief-11", "'kim'")},
    {"declaration-gate", E_GATE, "ro/21", DECLARE(ALL, K21, KIM, "", ROOT, "1", "${n:all}")},
    {"declaration-no-collation", E_FIELD, "ro/21", DECLARE(ALL, "", KIM, OVER, ROOT, "1", "${n:all}")},
    {"declaration-no-collation-there", E_REFERENCE, "ro/21",
     DECLARE(ALL, "'collation':'${id:r1101}',", KIM, OVER, ROOT, "1", "${n:all}")},
    {"declaration-other-collation", E_REFERENCE, "ro/12",
     "declaration {'checkpoint':" ALL "," K21 "'contest':'chief-12','election':'${e}','outcome':{" KIM "},"
     "'root':'" ROOT "','round':1,'size':${n:all}}"},
    {"declaration-no-override", E_REFERENCE, "ro/21",
     DECLARE(ALL, K21, KIM, "'override':'${id:k21}',", ROOT, "1", "${n:all}")},
    {"declaration-other-override", E_REFERENCE, "ro/12",
     "declaration {'checkpoint':" ALL ",'contest':'chief-12','election':'${e}','outcome':"
     "{'choices':['kim'],'kind':'unopposed'}," OVER "'root':'" ROOT "','round':1,'size':${n:all}}"},
    {"declaration-other-winner", E_OUTCOME, "ro/21",
     DECLARE(ALL, K21, "'choices':['lee'],'kind':'elected'", OVER, ROOT, "1", "${n:all}")},
    {"declaration-tie", E_OUTCOME, "ro/21",
     DECLARE(ALL, K21, "'choices':['kim','lee'],'kind':'tie'", OVER, ROOT, "1", "${n:all}")},
    {"declaration-kind", E_FIELD, "ro/21",
     DECLARE(ALL, K21, "'choices':['kim'],'kind':'victory'", OVER, ROOT, "1", "${n:all}")},
    {"declaration-choice", E_CHOICE, "ro/21",
     DECLARE(ALL, K21, "'choices':['ann'],'kind':'elected'", OVER, ROOT, "1", "${n:all}")},
    {"declaration-choice-order", E_CHOICE, "ro/21",
     DECLARE(ALL, K21, "'choices':['lee','kim'],'kind':'tie'", OVER, ROOT, "1", "${n:all}")},
    {"declaration-round", E_ROUND, "ro/21", DECLARE(ALL, K21, KIM, OVER, ROOT, "2", "${n:all}")},
    {"declaration-officer", E_ROLE, "nro", DECLARE(ALL, K21, KIM, OVER, ROOT, "1", "${n:all}")},
    {"declaration-scope", E_SCOPE, "ro/12", DECLARE(ALL, K21, KIM, OVER, ROOT, "1", "${n:all}")},
    {"declaration-old", E_CHECKPOINT, "ro/21", DECLARE("${cp:good:9}", K21, KIM, OVER, "${root:9}", "1", "9")},
    {"declaration-before-override", E_CHECKPOINT, "ro/21",
     DECLARE("${cp:good:@ov21}", K21, KIM, OVER, "${root:@ov21}", "1", "${n:@ov21}")},
    {"declaration-future", E_CHECKPOINT, "ro/21", DECLARE("${cp:good:999}", K21, KIM, OVER, ROOT, "1", "999")},
    {"declaration-root", E_CHECKPOINT, "ro/21", DECLARE(ALL, K21, KIM, OVER, "${h:another}", "1", "${n:all}")},
    {"declaration-size", E_CHECKPOINT, "ro/21", DECLARE(ALL, K21, KIM, OVER, ROOT, "1", "9")},
    {"declaration-unsigned", E_UNSIGNED, "ro/21",
     DECLARE("${cp:stranger:all}", K21, KIM, OVER, ROOT, "1", "${n:all}")},
    {"declaration-foreign", E_ORIGIN, "ro/21",
     DECLARE("${cp:origin:all}", K21, KIM, OVER, ROOT, "1", "${n:all}")},
    {"declaration-forged", E_SIGNATURE, "ro/21",
     DECLARE("${cp:key:all}", K21, KIM, OVER, ROOT, "1", "${n:all}")},
    {"declaration-checkpoint", E_NOTE, "ro/21", DECLARE("${o:x}", K21, KIM, OVER, ROOT, "1", "${n:all}")},
    {"declaration-checkpoint-missing", E_OBJECT_MISSING, "ro/21",
     DECLARE("${missing:cp}", K21, KIM, OVER, ROOT, "1", "${n:all}")},
    /* --- dissent --- */
    {"dissent", OK, "com/1", DISSENT("${id:d11}", "com/1", "dissents")},
    {"dissent-verified", OK, "com/3", DISSENT("${id:d11}", "com/3", "verified")},
    {"dissent-reason", OK, "com/2",
     "dissent {'declaration':'${id:d11}','election':'${e}','key':'com/2','reason':${o:why},"
     "'says':'dissents'}"},
    {"dissent-two", E_LINES, "com/1,com/2", DISSENT("${id:d11}", "com/1", "dissents")},
    {"dissent-for-another", E_LINES, "com/1", DISSENT("${id:d11}", "com/2", "dissents")},
    {"dissent-word", E_FIELD, "com/1", DISSENT("${id:d11}", "com/1", "abstains")},
    {"dissent-nothing", E_REFERENCE, "com/1", DISSENT("${id:k21}", "com/1", "dissents")},
    {"dissent-officer", E_ROLE, "nro", DISSENT("${id:d11}", "nro", "dissents")},
    /* --- incident --- */
    {"incident", OK, LOG,
     INCIDENT(ROW("claimed", "E_QUOTA", "9007199254740991", "5", "unknown", "5", "", "unknown") ","
              ROW("proven", "E_REVOKED", "1", "5", "po/1101", "6", "'note':${o:the note},", "result"))},
    {"incident-soon", E_QUOTA, LOG,
     INCIDENT(ROW("claimed", "E_X", "1", "1", "unknown", "1", "", "result")), 2500000},
    {"incident-none", E_FIELD, LOG, INCIDENT("")},
    {"incident-class", E_FIELD, LOG, INCIDENT(ROW("heard", "E_X", "1", "1", "unknown", "1", "", "result"))},
    {"incident-code", E_FIELD, LOG, INCIDENT(ROW("claimed", "E_x", "1", "1", "unknown", "1", "", "result"))},
    {"incident-code-empty", E_FIELD, LOG, INCIDENT(ROW("claimed", "E_", "1", "1", "unknown", "1", "", "result"))},
    {"incident-count-0", E_RANGE, LOG, INCIDENT(ROW("claimed", "E_X", "0", "1", "unknown", "1", "", "result"))},
    {"incident-reversed", E_RANGE, LOG, INCIDENT(ROW("claimed", "E_X", "1", "2", "unknown", "1", "", "result"))},
    {"incident-key", E_REFERENCE, LOG, INCIDENT(ROW("claimed", "E_X", "1", "1", "stranger", "1", "", "result"))},
    {"incident-type", E_FIELD, LOG, INCIDENT(ROW("claimed", "E_X", "1", "1", "unknown", "1", "", "ballot"))},
    {"incident-unproven", E_FIELD, LOG, INCIDENT(ROW("proven", "E_X", "1", "1", "po/1101", "1", "", "result"))},
    {"incident-proven-who", E_FIELD, LOG,
     INCIDENT(ROW("proven", "E_X", "1", "1", "unknown", "1", "'note':${o:the note},", "result"))},
    /* --- objection --- */
    {"objection", OK, "party/red",
     OBJECTION("president", "${o:a photograph},${o:a letter}", "form", "1", "'1102','12','2'")},
    {"objection-agent", OK, "agent/red/11", OBJECTION("president", "", "identity", "1", "'1101'")},
    {"objection-observers", OK, "og/wits", OBJECTION("president", "", "procedure", "1", "'KE'")},
    {"objection-older-round", OK, "party/red", OBJECTION("member-21", "", "missing", "1", "'2101'")},
    {"objection-next-round", E_ROUND, "party/red", OBJECTION("president", "", "other", "2", "'1101'")},
    {"objection-round-0", E_ROUND, "party/red", OBJECTION("president", "", "other", "0", "'1101'")},
    {"objection-officer", E_ROLE, "po/1101", OBJECTION("president", "", "other", "1", "'1101'")},
    {"objection-two", E_LINES, "party/red,agent/red/11", OBJECTION("president", "", "other", "1", "'1101'")},
    {"objection-elsewhere", E_SCOPE, "party/blue", OBJECTION("president", "", "other", "1", "'2'")},
    {"objection-one-elsewhere", E_SCOPE, "party/blue", OBJECTION("president", "", "other", "1", "'1','2'")},
    {"objection-contest", E_SCOPE, "agent/red/gov", OBJECTION("president", "", "other", "1", "'1101'")},
    {"objection-not-held", E_CONTEST, "party/red", OBJECTION("member-21", "", "other", "1", "'1101'")},
    {"objection-ground", E_FIELD, "party/red", OBJECTION("president", "", "taste", "1", "'1101'")},
    {"objection-nowhere", E_FIELD, "party/red", OBJECTION("president", "", "other", "1", "")},
    {"objection-unit", E_UNIT, "party/red", OBJECTION("president", "", "other", "1", "'99'")},
    {"objection-inside", E_UNIT, "party/red", OBJECTION("president", "", "other", "1", "'1','1101'")},
    {"objection-order", E_CANONICAL, "party/red", OBJECTION("president", "", "other", "1", "'2','1'")},
    {"objection-same", E_CANONICAL, "party/red", OBJECTION("president", "", "other", "1", "'2','2'")},
    {"objection-evidence", E_RANGE, "party/red",
     OBJECTION("president", OBJ8 "," OBJ8 ",${o:9}", "other", "1", "'1101'")},
    /* --- admission --- */
    {"admission", OK, "ro/11", ADMISSION("'answer_by_ms':5000000,", "ob-filed", "'reason':${o:why},", "admitted")},
    {"admission-commissioners", OK, COM, ADMISSION("", "ob-filed", "", "refused")},
    {"admission-ordered", OK, COM, ADMISSION("", "ob-refused", ORDER, "admitted")},
    {"admission-other-officer", E_SCOPE, "ro/12", ADMISSION("", "ob-filed", "", "admitted")},
    {"admission-deputy", E_ROLE, "dro/11", ADMISSION("", "ob-filed", "", "admitted")},
    {"admission-own", E_ROLE, "party/red", ADMISSION("", "ob-filed", "", "admitted")},
    {"admission-one-commissioner", E_THRESHOLD, "com/3", ADMISSION("", "ob-filed", "", "admitted")},
    {"admission-again", E_STATE, "ro/12", ADMISSION("", "ob-admitted", "'reason':${o:again},", "admitted")},
    {"admission-again-ordered", E_STATE, "ro/12", ADMISSION("", "ob-admitted", ORDER, "admitted")},
    {"admission-changed", E_STATE, "ro/12", ADMISSION("", "ob-admitted", "", "refused")},
    {"admission-after-ruling", E_STATE, COM, ADMISSION("", "ob-upheld", ORDER, "refused")},
    {"admission-answer-to-nothing", E_FIELD, "ro/11",
     ADMISSION("'answer_by_ms':5000000,", "ob-filed", "", "refused")},
    {"admission-word", E_FIELD, "ro/11", ADMISSION("", "ob-filed", "", "perhaps")},
    {"admission-of-what", E_REFERENCE, "ro/11", ADMISSION("", "r1101", "", "admitted")},
    /* --- ruling --- */
    {"ruling", OK, "ro/12,clerk/12", RULING("ob-admitted", "", "partly")},
    {"ruling-commissioners", OK, COM, RULING("ob-admitted", ORDER "'reason':${o:why},", "dismissed")},
    {"ruling-ordered", OK, COM, RULING("ob-upheld", ORDER, "dismissed")},
    {"ruling-withdrawn", OK, "party/red", RULING("ob-filed", "", "withdrawn")},
    {"ruling-withdrawn-admitted", OK, "party/blue", RULING("ob-admitted", "", "withdrawn")},
    {"ruling-withdrawn-other", E_ROLE, "party/blue", RULING("ob-filed", "", "withdrawn")},
    {"ruling-withdrawn-officer", E_ROLE, "ro/11", RULING("ob-filed", "", "withdrawn")},
    {"ruling-withdrawn-late", E_STATE, "party/red", RULING("ob-upheld", "", "withdrawn")},
    {"ruling-alone", E_THRESHOLD, "ro/12", RULING("ob-admitted", "", "upheld")},
    {"ruling-same-person", E_THRESHOLD, "ro/12,clerk/12own", RULING("ob-admitted", "", "upheld")},
    {"ruling-one-commissioner", E_THRESHOLD, "com/1,com/1b", RULING("ob-admitted", "", "upheld")},
    {"ruling-clerk", E_ROLE, "clerk/12", RULING("ob-admitted", "", "upheld")},
    {"ruling-with-party", E_ROLE, "party/blue,ro/12", RULING("ob-admitted", "", "upheld")},
    {"ruling-not-admitted", E_STATE, "ro/11,clerk/11", RULING("ob-filed", "", "upheld")},
    {"ruling-again", E_STATE, "ro/12,clerk/12", RULING("ob-upheld", "", "dismissed")},
    {"ruling-refused", E_STATE, COM, RULING("ob-refused", ORDER, "upheld")},
    {"ruling-elsewhere", E_SCOPE, "clerk/11,ro/12", RULING("ob-admitted", "", "upheld")},
    {"ruling-word", E_FIELD, COM, RULING("ob-admitted", "", "maybe")},
    {"ruling-of-what", E_REFERENCE, COM, RULING("notice", "", "upheld")},
    /* --- notice --- */
    {"notice", OK, COM, NOTICE("", "", "statement", "sw")},
    {"notice-rebuttal", OK, "og/wits", NOTICE("'answers':'${id:ob-admitted}',", "'contest':'ward-12',", "rebuttal", "en")},
    {"notice-petition", OK, "party/red", NOTICE("", "'contest':'president',", "petition", "pt-br")},
    {"notice-correction", OK, "com/1b", NOTICE("'answers':'${id:notice}',", "", "correction", "en")},
    {"notice-correction-other", E_REFERENCE, "com/2", NOTICE("'answers':'${id:notice}',", "", "correction", "en")},
    {"notice-correction-nothing", E_REFERENCE, "com/1", NOTICE("", "", "correction", "en")},
    {"notice-rebuttal-nothing", E_FIELD, "nro", NOTICE("", "", "rebuttal", "en")},
    {"notice-answers-nothing", E_REFERENCE, "nro", NOTICE("'answers':'${h:nothing}',", "", "rebuttal", "en")},
    {"notice-contest", E_SCOPE, "ro/11gov", NOTICE("", "'contest':'president',", "statement", "en")},
    {"notice-agent", E_ROLE, "agent/red/11", NOTICE("", "", "statement", "en")},
    {"notice-lang", E_FIELD, "nro", NOTICE("", "", "statement", "English")},
    {"notice-lang-empty", E_FIELD, "nro", NOTICE("", "", "statement", "")},
    {"notice-kind", E_FIELD, "nro", NOTICE("", "", "advertisement", "en")},
    {"notice-no-text", E_RANGE, "nro",
     "notice {'election':'${e}','kind':'statement','lang':'en','text':${o:}}"},
    /* --- observation --- */
    {"observation", OK, "obs/eyes",
     OBSERVATION("'contest':'president','counts':{'rejected':1,'valid':6,'votes':{" ABC "}},",
                 "'agents-present':4,'boxes-sealed':'yes','opened-late':'no','posted':'unknown'",
                 "'note':${o:what I saw},'round':1,", "1102")},
    {"observation-items", OK, "obs/eyes", OBSERVATION("", "'posted':'yes'", "", "1101")},
    {"observation-counts-alone", OK, "obs/eyes",
     OBSERVATION("'contest':'president','counts':{'votes':{}},", "", "'round':1,", "1102")},
    {"observation-other-key", E_LINES, "obs/eyes", OBSERVED_BY("obs/wits", "", "'posted':'yes'", "", "1101")},
    {"observation-two-keys", E_LINES, "obs/eyes,obs/wits", OBSERVATION("", "'posted':'yes'", "", "1101")},
    {"observation-no-key", E_REFERENCE, "obs/eyes", OBSERVED_BY("obs/none", "", "'posted':'yes'", "", "1101")},
    {"observation-nothing", E_FIELD, "obs/eyes", OBSERVATION("", "", "", "1101")},
    {"observation-answer", E_FIELD, "obs/eyes", OBSERVATION("", "'posted':'maybe'", "", "1101")},
    {"observation-truth", E_FIELD, "obs/eyes", OBSERVATION("", "'posted':true", "", "1101")},
    {"observation-large", E_RANGE, "obs/eyes", OBSERVATION("", "'queue':1000000000", "", "1101")},
    {"observation-name", E_FIELD, "obs/eyes", OBSERVATION("", "'Posted':'yes'", "", "1101")},
    {"observation-no-contest", E_FIELD, "obs/eyes", OBSERVATION("'counts':{'votes':{}},", "", "", "1101")},
    {"observation-no-round", E_FIELD, "obs/eyes",
     OBSERVATION("'contest':'president','counts':{'votes':{}},", "", "", "1101")},
    {"observation-round", E_ROUND, "obs/eyes",
     OBSERVATION("'contest':'president','counts':{'votes':{}},", "", "'round':2,", "1101")},
    {"observation-choice", E_CHOICE, "obs/eyes",
     OBSERVATION("'contest':'president','counts':{'votes':{'zed':1}},", "", "'round':1,", "1101")},
    {"observation-not-held", E_CONTEST, "obs/eyes",
     OBSERVATION("'contest':'member-21',", "'posted':'yes'", "", "1101")},
    {"observation-county", E_UNIT, "obs/eyes", OBSERVATION("", "'posted':'yes'", "", "1")},
    {"observation-agent", E_ROLE, "agent/red/11", OBSERVATION("", "'posted':'yes'", "", "1101")},
    {"observation-group", E_ROLE, "og/eyes", OBSERVATION("", "'posted':'yes'", "", "1101")},
    /* --- host-log --- */
    {"host-log", OK, LOG, HOSTS(HOST("1", "a", "host", "1") "," HOST("1", "fw", "firewall", "3"))},
    {"host-log-most", OK, LOG, HOSTS(HOST8 "," HOST8 "," HOST8 "," HOST8 "," HOST8 "," HOST8 "," HOST8 "," HOST8)},
    {"host-log-more", E_RANGE, LOG,
     HOSTS(HOST8 "," HOST8 "," HOST8 "," HOST8 "," HOST8 "," HOST8 "," HOST8 "," HOST8 "," HOST("1", "a", "host", "1"))},
    {"host-log-soon", E_QUOTA, LOG, HOSTS(HOST("1", "a", "host", "1")), 2500000},
    {"host-log-none", E_FIELD, LOG, HOSTS("")},
    {"host-log-kind", E_FIELD, LOG, HOSTS(HOST("1", "a", "diary", "1"))},
    {"host-log-name", E_FIELD, LOG, HOSTS(HOST("1", "A", "host", "1"))},
    {"host-log-reversed", E_RANGE, LOG, HOSTS(HOST("2", "a", "host", "1"))},
    {"host-log-officer", E_ROLE, "com/1", HOSTS(HOST("1", "a", "host", "1"))},
    /* --- recounts, where the rule has them --- */
    {"recount", OK, "ro/11,clerk/11", RECOUNT("paper", "governor-1", "'supersedes':['${id:g1102}'],", "'dee':81,'eve':89")},
    {"recount-no-rule", E_STATE, "ro/11,clerk/11",
     RECOUNT("paper", "president", "'supersedes':['${id:r1102b}'],", "'ann':1")},
    {"recount-of-nothing", E_FIELD, "ro/11,clerk/11", RECOUNT("paper", "governor-1", "", "'dee':81,'eve':89")},
    {"recount-station", E_FIELD, "po/1102", RECOUNT("station", "governor-1", "'supersedes':['${id:g1102}'],", "'dee':81")},
    {"recount-alone", E_THRESHOLD, "ro/11",
     RECOUNT("paper", "governor-1", "'supersedes':['${id:g1102}'],", "'dee':81,'eve':89")},
    {"recount-elsewhere", E_REFERENCE, "ro/11,clerk/11",
     RECOUNT("paper", "governor-1", "'supersedes':['${id:r1102b}'],", "'dee':81,'eve':89")},
    /* --- seal --- */
    {"seal", OK, "clerk/n", SEAL("clerk/n", "president", "${id:i1102}", "1", "${h:anything}", "1102")},
    {"seal-third", OK, "clerk/11c", SEAL1102("clerk/11c", "n")},
    {"seal-third-again", E_STATE, "clerk/11", SEAL1102("clerk/11", "n")},
    {"seal-own-result", E_STATE, "clerk/12", SEAL("clerk/12", "president", "${id:i1202}", "1", "${h:s}", "1202"), FX_CASE_MS + 1},
    {"seal-own-result-officer", E_STATE, "clerk/12own", SEAL("clerk/12own", "president", "${id:i1202}", "1", "${h:s}", "1202"),
     FX_CASE_MS + 1},
    {"seal-enough", E_STATE, "clerk/11c", SEAL("clerk/11c", "president", "${id:i1101}", "1", "${h:s}", "1101")},
    /* with a time, where by a real clock the seals have lapsed */
    {"seal-enough-closed", E_STATE, "nro", SEAL("nro", "president", "${id:i1202}", "1", "${h:s}", "1202"), FX_CASE_MS},
    {"seal-lapsed", OK, "nro", SEAL("nro", "president", "${id:i1202}", "1", "${h:s}", "1202"), FX_CASE_MS + 1},
    {"seal-lapsed-own", OK, "clerk/n", SEAL("clerk/n", "president", "${id:i1202}", "1", "${h:s}", "1202"), FX_CASE_MS + 1},
    {"seal-second-key", E_STATE, "clerk/nown", SEAL("clerk/nown", "president", "${id:i1202}", "1", "${h:s}", "1202"), FX_CASE_MS},
    {"seal-second", OK, "clerk/n", SEAL("clerk/n", "president", "${id:i2101}", "1", "${h:s}", "2101")},
    {"seal-replayed", E_STATE, "clerk/n",
     SEAL("clerk/n", "president", "${id:i2101}", "1", "${seal:n6:2101}", "2101")},
    {"seal-of-another-form", E_STATE, "clerk/11c",
     SEAL("clerk/11c", "president", "${id:i1102}", "1", "${seal:n1:1101}", "1102")},
    {"seal-two-keys", E_LINES, "clerk/11c,clerk/n", SEAL1102("clerk/11c", "n")},
    {"seal-anothers-key", E_LINES, "clerk/n", SEAL1102("clerk/11c", "n")},
    {"seal-machine-again", E_STATE, "machine", SEAL("machine", "president", "${id:i2101}", "1", "${h:s}", "2101")},
    {"seal-machine", OK, "machine", SEAL1102("machine", "n")},
    {"seal-image-elsewhere", E_REFERENCE, "clerk/n", SEAL("clerk/n", "president", "${id:i1101}", "1", "${h:s}", "1102")},
    {"seal-image-contest", E_REFERENCE, "clerk/n", SEAL("clerk/n", "governor-1", "${id:i1102}", "1", "${h:s}", "1102")},
    {"seal-image-round", E_REFERENCE, "clerk/n", SEAL("clerk/n", "president", "${id:i1102}", "2", "${h:s}", "1102")},
    {"seal-no-image", E_REFERENCE, "clerk/n", SEAL("clerk/n", "president", "${id:r1102b}", "1", "${h:s}", "1102")},
    {"seal-elsewhere", E_SCOPE, "clerk/12", SEAL1102("clerk/12", "n")},
    {"seal-officer", E_ROLE, "po/1102", SEAL1102("po/1102", "n")},
    {"seal-agent", E_ROLE, "agent/red/11", SEAL1102("agent/red/11", "n")},
    {"seal-closed-station", E_UNIT, "clerk/11", SEAL("clerk/11", "president", "${id:i1102}", "1", "${h:s}", "1103")},
    /* --- open --- */
    {"open-at-30-minutes", OK, "clerk/n2", OPEN("n9", "1202", "s1202b")},
    {"open-after-30-minutes", E_STATE, "clerk/n2", OPEN("n9", "1202", "s1202b"), FX_CASE_MS + 1},
    {"open-again", E_STATE, "clerk/11", OPEN("n4", "1102x", "s1102a")},
    {"open-replayed", E_DUPLICATE, "clerk/11", OPEN("n4", "1102", "s1102a")},
    {"open-alone", E_STATE, "clerk/21", OPEN("n6", "2101", "s2101")},
    {"open-machine-first", E_STATE, "machine", OPEN("n7", "2101", "s2101m")},
    {"open-another-reading", E_SEAL, "clerk/n2", OPEN("n9", "1102", "s1202b"), FX_CASE_MS},
    {"open-another-nonce", E_SEAL, "clerk/n2", OPEN("n8", "1202", "s1202b"), FX_CASE_MS},
    {"open-anothers", E_SCOPE, "clerk/n", OPEN("n9", "1202", "s1202b")},
    {"open-own-second-key", E_SCOPE, "clerk/nown", OPEN("n8", "1202", "s1202a")},
    {"open-two", E_LINES, "clerk/n,clerk/n2", OPEN("n9", "1202", "s1202b")},
    {"open-no-seal", E_REFERENCE, "clerk/n2",
     "open {'election':'${e}','nonce':'${h:n9}','reading':${r:1202},'seal':'${id:r1202}'}"},
    {"open-officer", E_ROLE, "po/1202", OPEN("n9", "1202", "s1202b")},
    {"open-illegible-figure", E_FIELD, "clerk/n2", OPEN("n9", "illegible-figure", "s1202b")},
    {"open-illegible-field", E_FIELD, "clerk/n2", OPEN("n9", "illegible-field", "s1202b")},
    {"open-illegible-order", E_CANONICAL, "clerk/n2", OPEN("n9", "illegible-order", "s1202b")},
    {"open-illegible-none", E_FIELD, "clerk/n2", OPEN("n9", "illegible-none", "s1202b")},
    {"open-mark", E_FIELD, "clerk/n2", OPEN("n9", "mark", "s1202b")},
    {"open-mark-order", E_CANONICAL, "clerk/n2", OPEN("n9", "mark-order", "s1202b")},
    {"open-mark-none", E_FIELD, "clerk/n2", OPEN("n9", "mark-none", "s1202b")},
    {"open-choice", E_CHOICE, "clerk/n2", OPEN("n9", "choice", "s1202b")},
    {"open-serial", E_FIELD, "clerk/n2", OPEN("n9", "serial", "s1202b")},
    /* --- compared --- */
    {"compared", OK, "ro/11", COMPARED("", "constituency", "", "r1102b", "1", "same", "1102")},
    {"compared-nation", OK, "nro",
     COMPARED("'irregularities':['damaged','no-stamp'],", "nation", "", "r1101", "1", "same", "1101")},
    {"compared-differs", OK, "ro/11",
     COMPARED("", "constituency", "'reading':${r:full},", "r1102b", "1", "differs", "1102")},
    {"compared-differs-how", E_FIELD, "ro/11",
     COMPARED("", "constituency", "", "r1102b", "1", "differs", "1102")},
    {"compared-differs-not", E_FIELD, "ro/11",
     COMPARED("", "constituency", "'reading':${r:1102},", "r1102b", "1", "differs", "1102")},
    {"compared-same-reading", E_FIELD, "ro/11",
     COMPARED("", "constituency", "'reading':${r:1102x},", "r1102b", "1", "same", "1102")},
    {"compared-superseded", E_STATE, "ro/11",
     COMPARED("", "constituency", "", "r1102a", "1", "same", "1102")},
    {"compared-nothing-holds", E_STATE, "ro/12",
     COMPARED("", "constituency", "", "r1201a", "1", "same", "1201")},
    {"compared-elsewhere", E_SCOPE, "ro/12", COMPARED("", "constituency", "", "r1102b", "1", "same", "1102")},
    {"compared-level", E_FIELD, "ro/11", COMPARED("", "county", "", "r1102b", "1", "same", "1102")},
    {"compared-no-level", E_FIELD, "ro/11", COMPARED("", "village", "", "r1102b", "1", "same", "1102")},
    {"compared-other-level", E_ROLE, "ro/11", COMPARED("", "nation", "", "r1102b", "1", "same", "1102")},
    {"compared-deputy", E_ROLE, "dro/11", COMPARED("", "constituency", "", "r1102b", "1", "same", "1102")},
    {"compared-clerk", E_ROLE, "clerk/11", COMPARED("", "constituency", "", "r1102b", "1", "same", "1102")},
    {"compared-word", E_FIELD, "ro/11", COMPARED("", "constituency", "", "r1102b", "1", "similar", "1102")},
    /* --- custody --- */
    {"custody", OK, "carrier/11,ro/11",
     CUSTODY("'contest':'president',", "2", "carrier/11", "original",
             "'note':${o:wet},'serials':${o:S-1 S-2},", "ro/11", "11", "forms")},
    {"custody-boxes", OK, "carrier/11,po/1102",
     CUSTODY("", "3", "po/1102", "none", "", "carrier/11", "1102", "boxes")},
    {"custody-nothing", E_RANGE, "carrier/11,ro/11",
     CUSTODY("'contest':'president',", "0", "carrier/11", "original", "", "ro/11", "11", "forms")},
    {"custody-no-contest", E_FIELD, "carrier/11,ro/11",
     CUSTODY("", "1", "carrier/11", "original", "", "ro/11", "11", "forms")},
    {"custody-kind", E_FIELD, "carrier/11,ro/11",
     CUSTODY("'contest':'president',", "1", "carrier/11", "none", "", "ro/11", "11", "forms")},
    {"custody-kind-of-box", E_FIELD, "carrier/11,ro/11",
     CUSTODY("", "1", "carrier/11", "original", "", "ro/11", "11", "boxes")},
    {"custody-alone", E_LINES, "carrier/11", CUSTODY("", "1", "carrier/11", "none", "", "ro/11", "11", "seals")},
    {"custody-other", E_LINES, "carrier/11,clerk/11",
     CUSTODY("", "1", "carrier/11", "none", "", "ro/11", "11", "seals")},
    {"custody-one-person", E_THRESHOLD, "clerk/n,clerk/nown",
     CUSTODY("", "1", "clerk/n", "none", "", "clerk/nown", "11", "seals")},
    {"custody-stranger", E_REFERENCE, "carrier/11,ro/11",
     CUSTODY("", "1", "carrier/99", "none", "", "ro/11", "11", "seals")},
    {"custody-elsewhere", E_SCOPE, "carrier/11,nro",
     CUSTODY("", "1", "carrier/11", "none", "", "nro", "12", "seals")},
    {"custody-contest", E_CONTEST, "carrier/11,ro/11",
     CUSTODY("'contest':'member-21',", "1", "carrier/11", "original", "", "ro/11", "11", "forms")},
    {"custody-closed", E_UNIT, "carrier/11,ro/11",
     CUSTODY("", "1", "carrier/11", "none", "", "ro/11", "1103", "seals")},
    {"custody-agent", E_ROLE, "agent/red/11,ro/11",
     CUSTODY("", "1", "agent/red/11", "none", "", "ro/11", "11", "seals")},
    /* --- decision --- */
    {"adopt-reading", OK, "ro/11,clerk/11", DECISION("adopt", "", "", RECORD_ID("o1102b"), "1", "1102")},
    {"adopt-result", OK, "ro/12,clerk/12", DECISION("adopt", "", "", REASON RECORD_ID("r1201b"), "1", "1201")},
    {"adopt-national", OK, "clerk/n,nro", DECISION("adopt", "", "", RECORD_ID("r1201a"), "1", "1201")},
    {"adopt-superseded", E_STATE, "ro/11,clerk/11", DECISION("adopt", "", "", RECORD_ID("r1102a"), "1", "1102")},
    {"adopt-other-station", E_REFERENCE, "ro/11,clerk/11", DECISION("adopt", "", "", RECORD_ID("o1101a"), "1", "1102")},
    {"adopt-seal", E_REFERENCE, "ro/11,clerk/11", DECISION("adopt", "", "", RECORD_ID("s1102a"), "1", "1102")},
    {"adopt-same", E_REFERENCE, "ro/11,clerk/11", DECISION("adopt", "", "", RECORD_ID("c1101"), "1", "1101")},
    {"adopt-unsaid", E_REFERENCE, "ro/21,clerk/21", DECISION("adopt", "", "", RECORD_ID("r2102"), "1", "2103")},
    {"adopt-nothing", E_FIELD, "ro/11,clerk/11", DECISION("adopt", "", "", "", "1", "1102")},
    {"adopt-county", E_UNIT, "ro/11,clerk/11", DECISION("adopt", "", "", RECORD_ID("r1102b"), "1", "11")},
    {"adopt-closed", E_UNIT, "ro/11,clerk/11", DECISION("adopt", "", "", RECORD_ID("r1102b"), "1", "1103")},
    {"adopt-twice", E_STATE, "ro/11,clerk/11",
     "decision {'action':'adopt','contest':'governor-1','election':'${e}','record':'${id:g1102}','round':1,"
     "'size':90,'unit':'1102'}"},
    {"adopt-contest", E_CONTEST, "ro/21,clerk/21",
     "decision {'action':'adopt','contest':'governor-1','election':'${e}','record':'${id:g1102}','round':1,"
     "'size':90,'unit':'2101'}"},
    {"adopt-round", E_ROUND, "ro/11,clerk/11", DECISION("adopt", "", "", RECORD_ID("r1102b"), "2", "1102")},
    {"decision-alone", E_THRESHOLD, "ro/11", DECISION("adopt", "", "", RECORD_ID("o1102b"), "1", "1102")},
    {"decision-one-person", E_THRESHOLD, "ro/12,clerk/12own",
     DECISION("adopt", "", "", RECORD_ID("r1201b"), "1", "1201")},
    {"decision-two-clerks", E_ROLE, "clerk/11,clerk/11b",
     DECISION("adopt", "", "", RECORD_ID("o1102b"), "1", "1102")},
    {"decision-deputy", E_ROLE, "clerk/11,dro/11", DECISION("adopt", "", "", RECORD_ID("o1102b"), "1", "1102")},
    {"decision-elsewhere", E_SCOPE, "ro/12,clerk/12", DECISION("adopt", "", "", RECORD_ID("o1102b"), "1", "1102")},
    {"decision-second-elsewhere", E_SCOPE, "ro/11,clerk/12",
     DECISION("adopt", "", "", RECORD_ID("o1102b"), "1", "1102")},
    {"decision-station", E_ROLE, "ro/11,po/1102", DECISION("adopt", "", "", RECORD_ID("o1102b"), "1", "1102")},
    {"decision-action", E_FIELD, "ro/11,clerk/11", DECISION("edit", "", "", RECORD_ID("o1102b"), "1", "1102")},
    {"disregard-untrue", E_STATE, "ro/11,clerk/11", DECISION("disregard", "", GROUND("over-register"), "", "1", "1102")},
    {"disregard-voters-untrue", E_STATE, "ro/11,clerk/11",
     DECISION("disregard", "", GROUND("over-voters"), "", "1", "1101")},
    {"disregard-order", OK, "ro/11,clerk/11", DECISION("disregard", "", GROUND("order"), ORDER, "1", "1102")},
    {"disregard-unsaid", OK, "ro/21,clerk/21", DECISION("disregard", "", GROUND("order"), ORDER, "1", "2103")},
    {"disregard-no-order", E_FIELD, "ro/11,clerk/11", DECISION("disregard", "", GROUND("order"), "", "1", "1102")},
    {"disregard-ground", E_FIELD, "ro/11,clerk/11", DECISION("disregard", "", "", "", "1", "1102")},
    {"disregard-ground-word", E_FIELD, "ro/11,clerk/11", DECISION("disregard", "", GROUND("rain"), "", "1", "1102")},
    {"disregard-ground-empty", E_FIELD, "ro/11,clerk/11", DECISION("disregard", "", GROUND(""), "", "1", "1102")},
    {"disregard-record", E_FIELD, "ro/11,clerk/11",
     DECISION("disregard", "", GROUND("order"), ORDER RECORD_ID("r1102b"), "1", "1102")},
    {"release", OK, "ro/21,clerk/21", DECISION("release", "", "", RECORD_ID("d-accept"), "1", "21")},
    {"release-again", E_STATE, "ro/11,clerk/11", DECISION("release", "", "", RECORD_ID("d-released"), "1", "11")},
    {"release-release", E_REFERENCE, "ro/11,clerk/11", DECISION("release", "", "", RECORD_ID("d-release"), "1", "11")},
    {"release-other-unit", E_REFERENCE, "nro,clerk/n", DECISION("release", "", "", RECORD_ID("d-accept"), "1", "11")},
    {"release-other-contest", E_REFERENCE, "ro/11,clerk/11", DECISION("release", "", "", RECORD_ID("d-adopt"), "1", "1102")},
    {"release-no-decision", E_REFERENCE, "ro/11,clerk/11", DECISION("release", "", "", RECORD_ID("r1102b"), "1", "1102")},
    {"accept", OK, "ro/11,clerk/11", DECISION("accept", CODES("'F_AGENT_OBJECTS','F_TURNOUT_LOW'"), "", "", "1", "1102")},
    {"accept-nation", OK, "nro,clerk/n", DECISION("accept", CODES("'F_SUM'"), "", REASON, "1", "KE")},
    {"accept-error", E_FIELD, "ro/11,clerk/11", DECISION("accept", CODES("'F_SUM'"), "", "", "1", "1102")},
    {"accept-error-order", OK, "ro/11,clerk/11", DECISION("accept", CODES("'F_SUM'"), "", ORDER, "1", "1102")},
    {"accept-two-results", E_STATE, "ro/12,clerk/12", DECISION("accept", CODES("'F_TWO_RESULTS'"), "", REASON, "1", "1201")},
    {"accept-difference", E_STATE, "ro/12,clerk/12", DECISION("accept", CODES("'F_READING_DIFFERS'"), "", REASON, "1", "1201")},
    {"accept-objection", E_STATE, "ro/12,clerk/12", DECISION("accept", CODES("'F_OBJECTION'"), "", REASON, "1", "1201")},
    {"accept-unknown", E_FIELD, "ro/11,clerk/11", DECISION("accept", CODES("'F_ODD'"), "", "", "1", "1102")},
    {"accept-order", E_CANONICAL, "ro/11,clerk/11", DECISION("accept", CODES("'F_EARLY','F_BLANK'"), "", "", "1", "1102")},
    {"accept-none", E_FIELD, "ro/11,clerk/11", DECISION("accept", CODES(""), "", "", "1", "1102")},
    {"accept-nothing", E_FIELD, "ro/11,clerk/11", DECISION("accept", "", "", "", "1", "1102")},
    {"accept-record", E_FIELD, "ro/11,clerk/11",
     DECISION("accept", CODES("'F_BLANK'"), "", RECORD_ID("r1102b"), "1", "1102")},
    {"decision-declared", E_STATE, "ro/11,clerk/11",
     "decision {'action':'accept','codes':['F_BLANK'],'contest':'chief-11','election':'${e}','round':1,'size':0,"
     "'unit':'1101'}"},
    {"decision-declared-order", OK, "ro/11,clerk/11",
     "decision {'action':'disregard','contest':'chief-11','election':'${e}','ground':'order'," ORDER
     "'round':1,'size':0,'unit':'1101'}"},
    {"accept-known", OK, "ro/11,clerk/11",
     "decision {'action':'accept','codes':['F_BLANK'],'contest':'president','election':'${e}','round':1,'size':0,"
     "'unit':'11'}"},
    {"accept-unknown-future", E_STATE, "ro/11,clerk/11",
     "decision {'action':'accept','codes':['F_BLANK'],'contest':'president','election':'${e}','round':1,"
     "'size':9007199254740991,'unit':'11'}"},
    {"accept-above", E_SCOPE, "ro/11,clerk/11", DECISION("accept", CODES("'F_BLANK'"), "", "", "1", "1")},
    /* --- what this election makes of findings --- */
    {"amend-findings", OK, COM, AMEND("{'limits':{'findings':{'F_BLANK':'off','F_EARLY':'error','F_SUM':'warning'}}}")},
    {"amend-findings-unknown", E_FIELD, COM, AMEND("{'limits':{'findings':{'F_ODD':'off'}}}")},
    {"amend-findings-word", E_FIELD, COM, AMEND("{'limits':{'findings':{'F_SUM':'ignore'}}}")},
    /* --- audit-plan --- */
    {"audit-plan", OK, BOARD,
     PLAN1(BEATS "," CLAIM("above", "'p':1,'q':2,", "ann") ","
           CLAIM("at-least", "'p':1,'q':4,'unit':'1',", "ann") "," CLAIM("at-most", "'p':9999,'q':10000,", "cy") ","
           CLAIM("below", "'p':1,'q':4,'unit':'2',", "cy"))},
    {"audit-plan-shares", OK, BOARD,
     PLANC(CLAIM("beats", "'loser':'eve',", "dee"), "governor-1", "50000", "mixture", "1", ",'sample':'${id:plan}'")},
    {"audit-plan-shares-late", E_AUDIT_SEED, BOARD,
     PLANC(BEATS, "president", "50000", "mixture", "1", ",'sample':'${id:plan-thrown}'")},
    {"audit-plan-shares-what", E_REFERENCE, BOARD,
     PLANC(BEATS, "president", "50000", "mixture", "1", ",'sample':'${id:r1101}'")},
    {"audit-plan-spare", OK, BOARD,
     PLANC(CLAIM("at-least", "'p':1,'q':4,'unit':'1',", "ann") "," CLAIM("at-least", "'p':1,'q':4,'unit':'2',", "ann"),
           "president", "70000", "mixture", "1", ",'spare':1")},
    {"audit-plan-spare-all", E_RANGE, BOARD,
     PLANC(CLAIM("at-least", "'p':1,'q':4,'unit':'1',", "ann") "," CLAIM("above", "'p':1,'q':4,'unit':'2',", "ann"),
           "president", "70000", "mixture", "1", ",'spare':1")},
    {"audit-plan-spare-none", E_RANGE, BOARD, PLANC(BEATS, "president", "70000", "mixture", "1", ",'spare':0")},
    {"audit-plan-alone", E_THRESHOLD, "board", PLAN1(BEATS)},
    {"audit-plan-no-board", E_ROLE, "aud/1,aud/2", PLAN1(BEATS)},
    {"audit-plan-officer", E_ROLE, "board,ro/11", PLAN1(BEATS)},
    {"audit-plan-nothing", E_FIELD, BOARD, PLAN1("")},
    {"audit-plan-claim", E_FIELD, BOARD, PLAN1(CLAIM("likes", "'loser':'bo',", "ann"))},
    {"audit-plan-itself", E_CHOICE, BOARD, PLAN1(CLAIM("beats", "'loser':'ann',", "ann"))},
    {"audit-plan-choice", E_CHOICE, BOARD, PLAN1(CLAIM("beats", "'loser':'zed',", "ann"))},
    {"audit-plan-all", E_RANGE, BOARD, PLAN1(CLAIM("above", "'p':2,'q':2,", "ann"))},
    {"audit-plan-share", E_RANGE, BOARD, PLAN1(CLAIM("above", "'p':1,'q':10001,", "ann"))},
    {"audit-plan-unit", E_UNIT, BOARD,
     PLANC(CLAIM("beats", "'loser':'eve','unit':'2',", "dee"), "governor-1", "50000", "mixture", "1", "")},
    {"audit-plan-limit", E_RANGE, BOARD, PLANC(BEATS, "president", "0", "mixture", "1", "")},
    {"audit-plan-limit-half", E_RANGE, BOARD, PLANC(BEATS, "president", "500001", "mixture", "1", "")},
    {"audit-plan-method", E_FIELD, BOARD, PLANC(BEATS, "president", "50000", "feeling", "1", "")},
    {"audit-plan-round", E_ROUND, BOARD, PLANC(BEATS, "president", "50000", "mixture", "2", "")},
    /* --- audit-seed --- */
    {"audit-seed", OK, BOARD, SEED(DICE, "${O:d-ok}", "plan", "3", "3900000")},
    {"audit-seed-before", E_AUDIT_SEED, BOARD, SEED(DICE, "${O:d-ok}", "plan", "3", "1999999")},
    {"audit-seed-short", E_AUDIT_SEED, BOARD, SEED("8312705561920433879", "${O:d-ok}", "plan", "3", "3900000")},
    {"audit-seed-letters", E_AUDIT_SEED, BOARD, SEED("8312705561920433879x", "${O:d-ok}", "plan", "3", "3900000")},
    {"audit-seed-known", E_AUDIT_SEED, BOARD, SEED("06712221796172622814", "${O:d-ok}", "plan", "3", "3900000")},
    {"audit-seed-long", E_RANGE, BOARD, SEED("${x:201:1}", "${O:d-ok}", "plan", "3", "3900000")},
    {"audit-seed-second", E_STATE, BOARD, SEED(DICE, "${O:d-ok}", "plan-thrown", "3", "3900000")},
    {"audit-seed-no-plan", E_REFERENCE, BOARD, SEED(DICE, "${O:d-ok}", "r1101", "3", "3900000")},
    {"audit-seed-alone", E_THRESHOLD, "board", SEED(DICE, "${O:d-ok}", "plan", "3", "3900000")},
    {"audit-seed-size", E_RANGE, BOARD, SEED(DICE, "${O:d-ok}", "plan", "4", "3900000")},
    {"audit-seed-size-0", E_RANGE, BOARD, SEED(DICE, "${O:d-ok}", "plan", "0", "3900000")},
    {"audit-seed-no-draws", E_RANGE, BOARD, SEED(DICE, "${O:d-none}", "plan", "1", "3900000")},
    {"audit-seed-missing", E_OBJECT_MISSING, BOARD, SEED(DICE, "${missing:}", "plan", "1", "3900000")},
    {"audit-seed-head", E_OBJECT, BOARD, SEED(DICE, "${O:d-head}", "plan", "1", "3900000")},
    {"audit-seed-cut", E_OBJECT, BOARD, SEED(DICE, "${O:d-cut}", "plan", "1", "3900000")},
    {"audit-seed-twice", E_AUDIT_DRAW, BOARD, SEED(DICE, "${O:d-twice}", "plan", "1", "3900000")},
    {"audit-seed-unit", E_UNIT, BOARD, SEED(DICE, "${O:d-unit}", "plan", "1", "3900000")},
    {"audit-seed-county", E_UNIT, BOARD, SEED(DICE, "${O:d-county}", "plan", "1", "3900000")},
    /* --- audit-round --- */
    {"audit-round", OK, BOARD, NEXT("plan-thrown", "3")},
    {"audit-round-same", E_RANGE, BOARD, NEXT("plan-thrown", "2")},
    {"audit-round-more", E_RANGE, BOARD, NEXT("plan-thrown", "4")},
    {"audit-round-early", E_STATE, BOARD, NEXT("plan", "3")},
    {"audit-round-alone", E_THRESHOLD, "board", NEXT("plan-thrown", "3")},
    /* --- audit-count --- */
    {"audit-seal", OK, "aud/2", SEALED("plan-thrown", "2", "2102", "")},
    {"audit-seal-third", OK, "aud/3", SEALED("plan-thrown", "2", "1101", "")},
    {"audit-seal-targeted", OK, "aud/2", SEALED("plan", "0", "2101", ",'targeted':true")},
    {"audit-seal-same-person", E_AUDIT_COUNT, "aud/1", SEALED("plan-thrown", "1", "1101", "")},
    {"audit-seal-not-drawn", E_AUDIT_DRAW, "aud/2", SEALED("plan-thrown", "0", "2101", "")},
    {"audit-seal-next-round", E_AUDIT_DRAW, "aud/2", SEALED("plan-thrown", "0", "1201", "")},
    {"audit-seal-drawn-targeted", E_AUDIT_DRAW, "aud/3", SEALED("plan-thrown", "0", "2102", ",'targeted':true")},
    {"audit-seal-not-targeted", E_FIELD, "aud/2", SEALED("plan", "0", "2101", ",'targeted':false")},
    {"audit-seal-early", E_STATE, "aud/2", SEALED("plan", "0", "1101", "")},
    {"audit-seal-closed", E_STATE, "aud/2", SEALED("plan-closed", "0", "1101", ",'targeted':true")},
    {"audit-seal-two", E_LINES, "aud/2,aud/3", SEALED("plan-thrown", "2", "1101", "")},
    {"audit-seal-officer", E_ROLE, "po/1101", SEALED("plan-thrown", "2", "1101", "")},
    {"audit-open", OK, "aud/1", OPENED("0", "nonce", "seal-1")},
    {"audit-open-other-key", E_LINES, "aud/2", OPENED("0", "nonce", "seal-1")},
    {"audit-open-alone", E_STATE, "aud/1", OPENED("1", "nonce", "seal-alone")},
    {"audit-open-other-counts", E_SEAL, "aud/1", OPENED("1", "nonce", "seal-1")},
    {"audit-open-other-nonce", E_SEAL, "aud/1", OPENED("0", "other", "seal-1")},
    {"audit-open-what", E_REFERENCE, "aud/1", OPENED("0", "nonce", "plan")},
    /* --- audit-close --- */
    {"audit-close", OK, BOARD, CLOSE("plan-thrown", "", "confirmed")},
    {"audit-close-overturned", OK, BOARD, CLOSE("plan-thrown", "", "full-count-overturns")},
    {"audit-close-stopped", OK, BOARD, CLOSE("plan", "'reason':${o:a court's order},", "stopped")},
    {"audit-close-no-dice", E_STATE, BOARD, CLOSE("plan", "", "confirmed")},
    {"audit-close-why", E_FIELD, BOARD, CLOSE("plan", "", "stopped")},
    {"audit-close-open", E_FIELD, BOARD, CLOSE("plan-thrown", "", "open")},
    {"audit-close-again", E_STATE, BOARD, CLOSE("plan-closed", "", "confirmed")},
    {"audit-close-alone", E_THRESHOLD, "board", CLOSE("plan-thrown", "", "confirmed")},
};
const unsigned record_case_count = sizeof record_cases / sizeof *record_cases;

const struct manifest_case manifest_cases[] = {
    {"manifest", OK, "com/1,com/2", "", ""},
    {"manifest-three", OK, "com/1,com/2,com/3", "", ""},
    {"manifest-two-keys", E_THRESHOLD, "com/1,com/1b", "", ""},
    {"manifest-one", E_THRESHOLD, "com/3", "", ""},
    {"manifest-stranger", E_SIGNER, "com/1,com/2,stranger", "", ""},
    {"manifest-wrong-name", E_SIGNER, "com/1,com/2@com/3", "", ""},
    {"manifest-cosignature", E_SIGNER, "com/1,04:com/2", "", ""},
    {"manifest-same-key", E_KEY_REUSED, "com/1,com/2", "${v:com/3}", "${v:com/2@com/3}"},
    {"manifest-same-name", E_KEY_REUSED, "com/1,com/2", "${v:com/3}", "${v:stranger@com/2}"},
    {"manifest-log-key", E_KEY_REUSED, "com/1,com/2", "${v:com/3}", "${v:example.org/test-election@com/3}"},
    {"manifest-bad-key", E_VKEY, "com/1,com/2", "${v:com/3}", "com/3"},
    {"manifest-key-name", E_VKEY, "com/1,com/2", "${v:com/3}", "${v:Com}"},
    {"manifest-bad-log", E_VKEY, "com/1,com/2", "${v:example.org/test-election}", "log"},
    {"manifest-origin", E_FIELD, "com/1,com/2", "'origin':'example.org/test-election'", "'origin':'example.org/x'"},
    {"manifest-threshold-0", E_RANGE, "com/1,com/2", "'threshold':2", "'threshold':0"},
    {"manifest-threshold-4", E_THRESHOLD, "com/1,com/2,com/3,com/1b", "'threshold':2", "'threshold':4"},
    {"manifest-threshold-5", E_RANGE, "com/1,com/2,com/3", "'threshold':2", "'threshold':5"},
    {"manifest-closes", E_RANGE, "com/1,com/2", "'closes_ms':2000000", "'closes_ms':999999"},
    {"manifest-image", E_FIELD, "com/1,com/2", "'image':'required'", "'image':'sometimes'"},
    {"manifest-optional", OK, "com/1,com/2", "'image':'required'", "'image':'optional'"},
    {"manifest-one-level", E_RANGE, "com/1,com/2", "'nation','county','constituency','station'", "'nation'"},
    {"manifest-eleven-levels", E_RANGE, "com/1,com/2", "'nation','county','constituency','station'",
     "'a','b','c','d','e','f','g','h','i','j','k'"},
    {"manifest-level-name", E_FIELD, "com/1,com/2", "'nation',", "'Nation',"},
    {"manifest-levels-other", E_UNIT, "com/1,com/2", "'nation',", "'world',"},
    {"manifest-simulated", E_FIELD, "com/1,com/2", "'simulated':true", "'simulated':1"},
    {"manifest-title", E_RANGE, "com/1,com/2", "'title':'A test", "'title':'${x:200:t}"},
    {"manifest-limits", E_RANGE, "com/1,com/2", "'limits':{}", "'limits':{'turnout_high':1001}"},
    {"manifest-limits-all", OK, "com/1,com/2", "'limits':{}",
     "'limits':{'one_sided':1000,'rejected_high':0,'same_vector_min':999999999,'turnout_high':1000,'turnout_low':0}"},
    {"manifest-depth", E_DEPTH, "com/1,com/2", "{'declare_days':7}", "${x:17:[}1${x:17:]}"},
    {"manifest-depth-most", OK, "com/1,com/2", "{'declare_days':7}", "${x:14:[}1${x:14:]}"},
    {"manifest-extras", OK, "com/1,com/2", "'simulated':true,", "'simulated':true,'software':['${h:x}'],"},
    {"not-a-manifest", E_FIRST, "com/1,com/2", "hesabu/v1 manifest", "hesabu/v1 amend"},
};
const unsigned manifest_case_count = sizeof manifest_cases / sizeof *manifest_cases;
