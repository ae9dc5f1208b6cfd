-- Posts the file that BENCH_BODY names; counts what is not answered with 200.
local file = assert(io.open(os.getenv("BENCH_BODY"), "rb"))
wrk.method = "POST"
wrk.body = file:read("*a")
wrk.headers["Content-Type"] = "application/fhir+json"
file:close()
