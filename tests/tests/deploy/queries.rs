//! The readers of metrics and queries, which the other checks stand on.

use tests::metrics::Metrics;
use tests::promql::Query;

fn faults(expression: &str) -> Vec<String> {
    Metrics::declared().faults(&Query::read(expression))
}

#[test]
fn an_expression_is_read_name_by_name() {
    let query = Query::read(
        "sum by (job) (rate(a_total{state=~\"due|later\", queue != 'x'}[$__rate_interval:1m] offset 5m)) \
         / on (job) group_left (zone) max(b:c) without (instance) or vector(1) >= 0.9 and time() > 60",
    );
    assert!(query.series.iter().eq(["a_total", "b:c"]), "{query:?}");
    let labels = ["instance", "job", "queue", "state", "zone"];
    assert!(query.labels.iter().eq(labels), "{query:?}");
    let selected = [("queue", "x"), ("state", "due"), ("state", "later")];
    let selected = selected.map(|(label, value)| (label.to_owned(), value.to_owned()));
    assert!(query.selected.iter().eq(&selected), "{query:?}");
    assert!(query.bounds.iter().eq(["0.9", "60"]), "{query:?}");
}

#[test]
fn a_query_of_what_there_is_has_no_fault() {
    let expression = "sum by (queue, job, le) (rate(awareness_job_duration_seconds_bucket[5m])) \
                      / on (job) awareness_jobs_running and up";
    assert_eq!(faults(expression), [""; 0]);
}

#[test]
fn a_query_of_what_there_is_not_has_a_fault_for_each_name() {
    let none = "nobody declares ";
    let cases = [
        ("sum(rate(http_requests_total[5m]))", none),
        ("awareness_scheduler_leader_count + 1", none),
        ("avg(awareness_job_duration_seconds)", none),
        ("sum by (queu) (awareness_jobs_running)", "the label queu"),
        ("awareness_jobs_running{state='due'}", "the label state"),
    ];
    for (expression, expected) in cases {
        let faults = faults(expression);
        assert_eq!(faults.len(), 1, "{expression}: {faults:?}");
        assert!(faults[0].contains(expected), "{expression}: {faults:?}");
    }
}
