//! Pages of lists.

use serde::Deserialize;
use ticketing_ports::paging::Page;
use utoipa::IntoParams;

use crate::errors::ApiError;

#[derive(Debug, Clone, Copy, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct PageQuery {
    /// From 1.
    #[param(minimum = 1, default = 1)]
    page: Option<u32>,
    #[param(minimum = 1, maximum = 100, default = 20)]
    per_page: Option<u32>,
}

impl PageQuery {
    pub(crate) fn page(self) -> Result<Page, ApiError> {
        page(self.page, self.per_page)
    }
}

pub(crate) fn page(number: Option<u32>, size: Option<u32>) -> Result<Page, ApiError> {
    let (number, size) = (number.unwrap_or(1), size.unwrap_or(Page::DEFAULT_SIZE));
    Page::new(number, size).ok_or_else(|| {
        if number == 0 {
            ApiError::invalid_request("page", "must be at least 1")
        } else {
            ApiError::invalid_request("per_page", format!("must be between 1 and {}", Page::MAX_SIZE))
        }
    })
}
