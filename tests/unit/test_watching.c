/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* The live watch of a real daemon: facts arrive on the event stream as soon as results bring them. */
#include "daemon_base.h"

static int follow(struct site *s, const char *extra) {
    char text[256];
    int fd = dial(daemon_port(s->d));
    snprintf(text, sizeof text, "GET /events HTTP/1.1\r\nHost: a\r\n%s\r\n", extra);
    assert_true(say(fd, text));
    return fd;
}

static void hear_until(int fd, struct buf *b, const char *want) {
    while (!(b->n && memmem(b->p, b->n, want, strlen(want))))
        if (!hear(fd, b)) fail_msg("the stream ended before \"%s\"", want);
}

static bool heard(const struct buf *b, const char *what) {
    return b->n && memmem(b->p, b->n, what, strlen(what));
}

static void result(struct site *s, const char *station, unsigned valid, unsigned ann) {
    char text[400], key[32];
    snprintf(key, sizeof key, "po/%s", station);
    snprintf(text, sizeof text,
             "result {'ballots':{'rejected':1,'valid':%u},'basis':'station','contest':'president',"
             "'definition':2,'election':'${e}','round':1,'signed_ms':1,'station':'%s',"
             "'votes':{'ann':%u,'bo':2,'cy':3}}", valid, station, ann);
    (void)site_accepts(s, key, text);
    site_await_published(s);
}

static void facts_are_events(void **state) {
    (void)state;
    struct site s = site_new(x, base);
    struct buf b;
    buf_init(&b, 1 << 22);
    s.o.watch = "president=ann";
    site_start(&s);
    int fd = follow(&s, "");
    hear_until(fd, &b, "retry: 2000\n\n");
    result(&s, "2103", 6, 1); /* in order */
    hear_until(fd, &b, "event: head\n");
    assert_false(heard(&b, "event: watch\n"));
    result(&s, "2102", 6, 1); /* the second one of that station */
    hear_until(fd, &b, "event: watch\ndata: {\"contest\":\"president\",\"choice\":\"ann\",\"number\":");
    hear_until(fd, &b, "\"sentence_sw\":\"");
    assert_true(heard(&b, "\"left_out\":0,\"events\":[{"));
    assert_true(heard(&b, "\"event\":\"two_results\"") && heard(&b, "\"class\":\"fact\""));
    assert_true(heard(&b, "\"station\":\"2102\"") && heard(&b, "\"sentence_sw\":\""));
    close(fd);
    site_stop(&s);
    /* after a restart the same fact is no news, but watch.json still holds it */
    site_start(&s);
    buf_clear(&b);
    fd = follow(&s, "");
    hear_until(fd, &b, "retry: 2000\n\n");
    (void)site_accepts(&s, "po/2103", site_event("2103", 1));
    site_await_published(&s);
    hear_until(fd, &b, "event: head\n");
    assert_false(heard(&b, "event: watch\n"));
    close(fd);
    struct fail f;
    buf_clear(&b);
    must(file_read(scratch_path(s.dir, "public/watch.json"), 1 << 20, &b, &f));
    assert_true(heard(&b, "\"station\":\"2102\""));
    site_is_valid(&s);
    buf_release(&b);
    site_end(&s);
}

static void without_a_watch_nothing_is_said(void **state) {
    (void)state;
    struct site s = site_new(x, base);
    struct buf b;
    buf_init(&b, 1 << 22);
    site_start(&s);
    int fd = follow(&s, "");
    hear_until(fd, &b, "retry: 2000\n\n");
    result(&s, "2102", 60, 1);
    result(&s, "2103", 6, 1);
    hear_until(fd, &b, "event: head\n");
    assert_false(heard(&b, "event: watch\n"));
    assert_int_not_equal(access(scratch_path(s.dir, "public/watch.json"), F_OK), 0);
    close(fd);
    buf_release(&b);
    site_end(&s);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(facts_are_events),
        cmocka_unit_test(without_a_watch_nothing_is_said),
    };
    return cmocka_run_group_tests_name("watching", tests, setup, teardown);
}
