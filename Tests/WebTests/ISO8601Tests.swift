import FoundationEssentials
import Testing
import Web

@Suite("Times in JSON")
struct ISO8601Tests {
    @Test(
        "A time is written in UTC with milliseconds",
        arguments: [
            (1_768_469_400.0, "2026-01-15T09:30:00.000Z"), (0, "1970-01-01T00:00:00.000Z"),
            (-0.5, "1969-12-31T23:59:59.500Z"),
            (951_782_400, "2000-02-29T00:00:00.000Z"), (4_107_542_399.999, "2100-02-28T23:59:59.999Z"),
        ])
    func writes(seconds: Double, text: String) {
        #expect(ISO8601.format(Date(timeIntervalSince1970: seconds)) == text)
    }

    @Test(
        "Offsets and lower case are read, and the first two are one instant",
        arguments: [
            "2026-01-15T09:30:00Z", "2026-01-15T10:30:00+01:00", "2026-01-15t09:30:00z",
            "2026-01-15T04:00:00.000-05:30",
        ])
    func reads(text: String) {
        #expect(ISO8601.parse(text) == Date(timeIntervalSince1970: 1_768_469_400))
    }

    @Test("A fraction keeps at least its milliseconds")
    func readsFractions() throws {
        let date = try #require(ISO8601.parse("2026-01-15T09:30:00.123456z"))
        #expect(abs(date.timeIntervalSince1970 - 1_768_469_400.123) < 0.001)
    }

    @Test(
        "What has no zone or does not exist is refused",
        arguments: [
            "2026-01-15T09:30:00", "2026-02-29T00:00:00Z", "2026-13-01T00:00:00Z", "2026-01-15T24:00:00Z",
            "2016-12-31T23:59:60Z", "20260115T093000Z", "1768469400", "", "2026-01-15T09:30:00Zx",
        ])
    func refuses(text: String) {
        #expect(ISO8601.parse(text) == nil)
    }
}
