#include "claim_times.hpp"

#include <algorithm>
#include <limits>
#include <string>

namespace test {

claim_times::claim_times(const test_database& db) : db_{db} {
    db_.execute(
        "CREATE TABLE public.claims (at timestamptz NOT NULL, jobs integer NOT NULL, key text);"
        "CREATE FUNCTION public.keep_claim() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
        "INSERT INTO public.claims SELECT NEW.claimed_at, count(*), j.meta ->> 'limit_key' "
        "FROM queue.job j WHERE j.id = ANY (NEW.job_ids) GROUP BY 3; "
        "RETURN NULL; END $$;"
        "CREATE TRIGGER keep_claim AFTER INSERT ON queue.lease "
        "FOR EACH ROW EXECUTE FUNCTION public.keep_claim()");
}

int claim_times::jobs() const {
    return std::stoi(db_.query("SELECT coalesce(sum(jobs), 0) FROM public.claims"));
}

double claim_times::seconds_to(int count) const {
    return std::stod(
        db_.query("SELECT extract(epoch FROM min(at) FILTER (WHERE so_far >= $1::int) - min(at)) "
                  "FROM (SELECT at, sum(jobs) OVER (ORDER BY at) AS so_far FROM public.claims) c",
                  {std::to_string(count)}));
}

double claim_times::overshoot(double burst, double rate) const {
    return worst(burst, rate,
                 db_.rows("SELECT extract(epoch FROM at - min(at) OVER ())::float8, jobs "
                          "FROM public.claims ORDER BY at"));
}

double claim_times::overshoot(double burst, double rate, const std::string& key) const {
    return worst(burst, rate,
                 db_.rows("SELECT extract(epoch FROM at - min(at) OVER ())::float8, jobs "
                          "FROM public.claims WHERE key = $1 ORDER BY at",
                          {key}));
}

double claim_times::worst(double burst, double rate, const std::vector<row>& claims) {
    double worst = -burst;
    double jobs = 0;
    // The worst stretch that ends with a claim begins with the claim before which the sum was
    // furthest below what had come by then.
    double lowest = -std::numeric_limits<double>::infinity();
    for (const auto& claim : claims) {
        const double came = rate * std::stod(claim.at(0).value());
        lowest = std::max(lowest, came - jobs);
        jobs += std::stod(claim.at(1).value());
        worst = std::max(worst, jobs - came + lowest - burst);
    }
    return worst;
}

}  // namespace test
