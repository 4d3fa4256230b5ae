//! The one time that every member of an archive carries.

use crate::Error;

/// 1980-01-01T00:00:00Z, the first moment that a zip file can hold.
const FIRST: i64 = 315_532_800;
/// 2107-12-31T23:59:59Z, the last.
const LAST: i64 = 4_354_819_199;

/// Seconds since 1970-01-01T00:00:00Z, between 1980 and 2107, in UTC. The default is the first
/// moment of 1980, so that nothing is said that isn't known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Timestamp(u64);

impl Timestamp {
    /// The nearest time to `seconds` since 1970 that an archive can hold.
    pub fn from_epoch(seconds: i64) -> Self {
        Self(seconds.clamp(FIRST, LAST).unsigned_abs())
    }

    /// From the value of the variable `SOURCE_DATE_EPOCH` (reproducible-builds.org), if it is set
    /// and not empty.
    pub fn from_source_date_epoch(value: Option<&str>) -> Result<Self, Error> {
        match value.map(str::trim) {
            None | Some("") => Ok(Self::default()),
            Some(text) => text
                .parse()
                .map(Self::from_epoch)
                .map_err(|_| Error::InvalidTimestamp(text.to_owned())),
        }
    }

    /// Seconds since 1970.
    pub fn seconds(self) -> u64 {
        self.0
    }

    /// Date and time as a zip file holds them: local time without a zone, which is UTC here, and
    /// whole pairs of seconds.
    pub(crate) fn to_dos(self) -> (u16, u16) {
        let (year, month, day) = civil(self.0 / 86_400);
        let second = self.0 % 86_400;
        let date = (year - 1980) << 9 | month << 5 | day;
        let time = (second / 3600) << 11 | (second / 60 % 60) << 5 | (second % 60 / 2);
        // Both fit, since the year is at most 2107.
        (date as u16, time as u16)
    }
}

impl Default for Timestamp {
    fn default() -> Self {
        Self::from_epoch(FIRST)
    }
}

/// Year, month and day of the `days`th day after 1970-01-01. Years are counted from March, so that
/// the leap day is the last one of its year, in eras of 400 years.
fn civil(days: u64) -> (u64, u64, u64) {
    let days = days + 719_468;
    let (era, day_of_era) = (days / 146_097, days % 146_097);
    let year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    (era * 400 + year_of_era + u64::from(month <= 2), month, day)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn shown(seconds: i64) -> String {
        let (date, time) = Timestamp::from_epoch(seconds).to_dos();
        let (year, month, day) = (1980 + (date >> 9), date >> 5 & 15, date & 31);
        let (hour, minute, second) = (time >> 11, time >> 5 & 63, (time & 31) * 2);
        format!("{year}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}")
    }

    #[test]
    fn dates_are_those_of_the_calendar() {
        assert_eq!(shown(951_782_400), "2000-02-29T00:00:00");
        assert_eq!(shown(1_234_567_890), "2009-02-13T23:31:30");
        assert_eq!(shown(1_735_689_599), "2024-12-31T23:59:58");
        assert_eq!(shown(4_107_542_400), "2100-03-01T00:00:00");
    }

    #[test]
    fn times_outside_of_what_zip_can_hold_are_moved_inside() {
        assert_eq!(shown(0), "1980-01-01T00:00:00");
        assert_eq!(shown(-5), "1980-01-01T00:00:00");
        assert_eq!(shown(i64::MAX), "2107-12-31T23:59:58");
    }

    #[test]
    fn source_date_epoch() {
        assert_eq!(Timestamp::from_source_date_epoch(None).unwrap(), Timestamp::default());
        assert_eq!(Timestamp::from_source_date_epoch(Some("")).unwrap(), Timestamp::default());
        assert_eq!(
            Timestamp::from_source_date_epoch(Some("1234567890")).unwrap().seconds(),
            1_234_567_890
        );
        let error = Timestamp::from_source_date_epoch(Some("today")).unwrap_err();
        assert_eq!(
            error.to_string(),
            "SOURCE_DATE_EPOCH is `today`, which isn't a number of seconds"
        );
    }
}
