//! Function `simulate`: columns in, a day in virtual time, columns out.

use std::collections::BTreeMap;

use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::PyBytes;
use router_core::{Command, SkillLevel};
use router_sim::{Duty, Report, SimContact, Workload};

use crate::columns::Column;
use crate::tools::decode_error;

/// What is known of the contacts, a column each.
struct Contacts {
    arrive_us: Column,
    queue: Column,
    service_us: Column,
    patience_us: Column,
    head_start_us: Column,
    channel: Column,
    weight: Column,
    requires: Vec<Vec<(u32, u8)>>,
}

impl Contacts {
    fn rows(self) -> PyResult<Vec<SimContact>> {
        let rows = Column::rows(&[
            &self.arrive_us,
            &self.queue,
            &self.service_us,
            &self.patience_us,
            &self.head_start_us,
            &self.channel,
            &self.weight,
        ])?;
        if !self.requires.is_empty() && self.requires.len() != rows {
            let text = format!(
                "requires has {} items, arrive_us has {rows}",
                self.requires.len()
            );
            return Err(PyValueError::new_err(text));
        }
        let mut requires = self.requires.into_iter();
        let row = |row| {
            let needs = requires.next().unwrap_or_default().into_iter();
            Ok(SimContact {
                arrive_us: self.arrive_us.at(row)?,
                channel: self.channel.at(row)?,
                queue: self.queue.at(row)?,
                service_us: self.service_us.maybe(row)?,
                patience_us: self.patience_us.maybe(row)?,
                head_start_us: self.head_start_us.at(row)?,
                weight: self.weight.at(row)?,
                requires: needs
                    .map(|(skill, level)| SkillLevel { skill, level })
                    .collect(),
            })
        };
        (0..rows).map(row).collect()
    }
}

/// Who is on duty when, a column each.
struct Duties {
    agent: Column,
    sign_in_us: Column,
    sign_out_us: Column,
}

impl Duties {
    fn rows(&self) -> PyResult<Vec<Duty>> {
        let rows = Column::rows(&[&self.agent, &self.sign_in_us, &self.sign_out_us])?;
        let row = |row| {
            Ok(Duty {
                agent: self.agent.at(row)?,
                sign_in_us: self.sign_in_us.at(row)?,
                sign_out_us: self.sign_out_us.maybe(row)?,
            })
        };
        (0..rows).map(row).collect()
    }
}

type Days<'py> = (
    Bound<'py, PyBytes>,
    Bound<'py, PyBytes>,
    Bound<'py, PyBytes>,
    BTreeMap<&'static str, u64>,
);

/// A day in virtual time: (outcome u8, wait_us u64, agent u32 per contact, metrics).
#[pyfunction]
#[pyo3(signature = (config, arrive_us, queue, service_us, patience_us, head_start_us, channel, weight,
    duty_agent, duty_sign_in_us, duty_sign_out_us, reached_talk_us, requires=None))]
#[allow(clippy::too_many_arguments, reason = "a column each")]
pub(crate) fn simulate<'py>(
    py: Python<'py>,
    config: &[u8],
    arrive_us: &Bound<'py, PyAny>,
    queue: &Bound<'py, PyAny>,
    service_us: &Bound<'py, PyAny>,
    patience_us: &Bound<'py, PyAny>,
    head_start_us: &Bound<'py, PyAny>,
    channel: &Bound<'py, PyAny>,
    weight: &Bound<'py, PyAny>,
    duty_agent: &Bound<'py, PyAny>,
    duty_sign_in_us: &Bound<'py, PyAny>,
    duty_sign_out_us: &Bound<'py, PyAny>,
    reached_talk_us: u64,
    requires: Option<Vec<Vec<(u32, u8)>>>,
) -> PyResult<Days<'py>> {
    let command = router_wire::decode_command(config).map_err(decode_error)?;
    let Command::Configure { config } = command else {
        return Err(PyValueError::new_err("config is not a configure body"));
    };
    let contacts = Contacts {
        arrive_us: Column::read("arrive_us", arrive_us)?,
        queue: Column::read("queue", queue)?,
        service_us: Column::read("service_us", service_us)?,
        patience_us: Column::read("patience_us", patience_us)?,
        head_start_us: Column::read("head_start_us", head_start_us)?,
        channel: Column::read("channel", channel)?,
        weight: Column::read("weight", weight)?,
        requires: requires.unwrap_or_default(),
    };
    let duty = Duties {
        agent: Column::read("duty_agent", duty_agent)?,
        sign_in_us: Column::read("duty_sign_in_us", duty_sign_in_us)?,
        sign_out_us: Column::read("duty_sign_out_us", duty_sign_out_us)?,
    };
    let (contacts, duty) = (contacts.rows()?, duty.rows()?);
    let workload = Workload {
        config: *config,
        contacts,
        duty,
        reached_talk_us,
    };
    // Without the GIL: a day takes from a tenth of a second to minutes and touches no object.
    let report = py
        .detach(|| router_sim::try_run_with(&workload, &mut |_| {}))
        .map_err(|refused| PyValueError::new_err(refused.to_string()))?;
    Ok(columns(py, &report))
}

fn columns<'py>(py: Python<'py>, report: &Report) -> Days<'py> {
    let rows = report.rows.iter();
    let outcomes: Vec<u8> = rows.clone().map(|row| row.outcome as u8).collect();
    let waits: Vec<u8> = rows
        .clone()
        .flat_map(|row| row.wait_us.to_ne_bytes())
        .collect();
    let agents: Vec<u8> = rows.flat_map(|row| row.agent.to_ne_bytes()).collect();
    let metrics = BTreeMap::from([
        ("commands", report.commands),
        ("events", report.events),
        ("ended_at_us", report.ended_at_us),
        ("state_hash", report.state_hash),
    ]);
    (
        PyBytes::new(py, &outcomes),
        PyBytes::new(py, &waits),
        PyBytes::new(py, &agents),
        metrics,
    )
}
