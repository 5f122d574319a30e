import Core
import FoundationEssentials
import Testing

@testable import Jobs

@Suite("What becomes of a job")
struct JobOutcomeTests {
    private struct Broken: Error, CustomStringConvertible { let description = "broken" }

    private let now = Date(timeIntervalSince1970: 1_800_000_000)
    private let never = Randomness { 0 }

    private func outcome(_ attempt: JobAttempt, attempts: Int = 1, maxAttempts: Int = 3) -> JobOutcome {
        .after(attempt, attempts: attempts, maxAttempts: maxAttempts, now: now, randomness: never)
    }

    @Test("The error's type decides")
    func errors() {
        #expect(outcome(.succeeded) == .complete)
        #expect(outcome(.failed(JobDiscard("gone"))) == .complete)
        #expect(outcome(.failed(JobLeaseLost())) == .leave)
        #expect(outcome(.leaseLost) == .leave)
        #expect(outcome(.returned, attempts: 3) == .giveBack)
        #expect(outcome(.failed(Broken())) == .retry(at: now.addingTimeInterval(2), error: "broken"))
        #expect(
            outcome(.failed(JobRetry(after: .seconds(90), "busy")))
                == .retry(at: now.addingTimeInterval(90), error: "busy"))
        #expect(
            outcome(.timedOut, attempts: 2)
                == .retry(at: now.addingTimeInterval(4), error: "took longer than its time limit"))
        #expect(outcome(.failed(Broken()), attempts: 3) == .dead(error: "broken"))
        #expect(outcome(.failed(JobRetry(after: .seconds(1))), attempts: 3) == .dead(error: "asked to run again"))
    }

    @Test("The wait doubles up to an hour and is shortened by up to a half")
    func waits() {
        let waits: [Double] = [1, 2, 3, 11, 12, 500].map {
            JobOutcome.retryWait(attempts: $0, randomness: never).seconds
        }
        #expect(waits == [2, 4, 8, 2048, 3600, 3600])
        let shortest: Double = JobOutcome.retryWait(attempts: 3, randomness: Randomness { .max }).seconds
        #expect(shortest > 3.99 && shortest < 4.01)
    }

    @Test("Long errors are cut")
    func longErrors() {
        #expect(JobOutcome.describe(JobDiscard(String(repeating: "x", count: 5000))).count == 1000)
    }

    @Test("Schedules know their next time")
    func schedules() {
        let noon = Date(timeIntervalSince1970: 1_800_014_400)  // 2027-01-15 12:00:00 UTC
        #expect(ScheduleRule.every(.seconds(60)).first(now: noon) == noon)
        #expect(ScheduleRule.every(.seconds(60)).next(after: noon) == noon.addingTimeInterval(60))
        #expect(ScheduleRule.daily(hour: 13, minute: 30).first(now: noon) == noon.addingTimeInterval(5400))
        #expect(ScheduleRule.daily(hour: 12, minute: 0).next(after: noon) == noon.addingTimeInterval(86_400))
        #expect(ScheduleRule.daily(hour: 3, minute: 0).next(after: noon) == noon.addingTimeInterval(15 * 3600))
    }
}
