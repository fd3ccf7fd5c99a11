//! The model's configuration in a bundle's manifest.

use super::error::EngineError;
use crate::backbone::Kind;
use crate::config::{BackboneConfig, ModelConfig};
use crate::gate::GateConfig;
use crate::kept::Rule;
use crate::methods::{self, MethodConfig, Views};
use ingle_bundle::Bundle;
use serde_json::Value;

/// Reads the model's configuration out of a manifest.
pub(super) fn model_config(bundle: &Bundle) -> Result<ModelConfig, EngineError> {
    let manifest = &bundle.manifest;
    let unusable = |part| {
        move |error: serde_json::Error| EngineError::Config {
            part,
            reason: error.to_string(),
        }
    };
    let kind = manifest.backbone.get("kind").and_then(Value::as_str);
    if let Some(found) = kind.filter(|name| Kind::named(name).is_none()) {
        return Err(EngineError::encoder(found, &Kind::known()));
    }
    let backbone: BackboneConfig =
        serde_json::from_value(manifest.backbone.clone()).map_err(unusable("backbone"))?;
    if MethodConfig::named(&manifest.method.name).is_none() {
        return Err(EngineError::method(
            &manifest.method.name,
            &methods::names(),
        ));
    }
    let mut method = manifest.method.config.clone();
    if let Some(settings) = method.as_object_mut() {
        let taken = methods::take_removed(&manifest.method.name, |key| {
            Some(settings.remove(key)?.to_string())
        });
        taken.map_err(|reason| EngineError::Config {
            part: "method",
            reason,
        })?;
        settings.insert("name".into(), manifest.method.name.clone().into());
    }
    let method: MethodConfig = serde_json::from_value(method).map_err(unusable("method"))?;
    let calibration = &manifest.calibration;
    let config = ModelConfig {
        items: manifest.items.count,
        backbone,
        method,
        gate: GateConfig {
            tau_low: calibration.tau_low,
            tau_high: calibration.tau_high,
            scale: calibration.scale(),
            views: calibration.views.map(|views| Views {
                prior: views.prior,
                posterior: views.posterior,
            }),
        },
        keep: (calibration.keep.clone()).map(Rule::new).transpose()?,
    };
    config.validate()?;
    let codes = config.method.code_width().unwrap_or(0);
    if ![0, codes].contains(&manifest.items.code_width) {
        return Err(EngineError::Config {
            part: "method",
            reason: format!(
                "it reads semantic codes of {codes} values, but the items have {}",
                manifest.items.code_width
            ),
        });
    }
    if config.backbone.width != manifest.items.width {
        return Err(EngineError::Config {
            part: "backbone",
            reason: format!(
                "its width is {}, but the item table is {} wide",
                config.backbone.width, manifest.items.width
            ),
        });
    }
    Ok(config)
}
